"""A network link to a service here that a test may cut, mend, or let an answer vanish on."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

Judge = Callable[[bytes], bool]


class Link:
    """Passes bytes on between its own port and the service's."""

    def __init__(self, host: str, port: int) -> None:
        self._service = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._guard = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._is_cut = False
        self._mute: Judge | None = None
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def through(self, url: str) -> str:
        """Return a database's URL by way of this link."""
        parts = urlsplit(url)
        user, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{user}{at}127.0.0.1:{self.port}").geturl()

    def cut(self) -> None:
        """End all connections; new ones are closed at once."""
        with self._guard:
            self._is_cut = True
            self._end_all()

    def mend(self) -> None:
        """Let new connections through."""
        with self._guard:
            self._is_cut = False

    def lose_the_answer_to(self, asked: Judge) -> None:
        """Pass the next request on that is `asked`, and cut the connection instead of the answer.

        All others are cut with it, as when the link goes; `mend` lets new ones through.
        """
        with self._guard:
            self._mute = asked

    def close(self) -> None:
        """End all."""
        self.cut()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _end_all(self) -> None:
        for pair in self._pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self._pairs.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._guard:
                if self._is_cut:
                    client.close()
                    continue
                try:
                    service = socket.create_connection(self._service)
                except OSError:
                    client.close()
                    continue
                pair = (client, service)
                self._pairs.append(pair)
                thread = threading.Thread(target=self._serve, args=pair, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket, service: socket.socket) -> None:
        muted = threading.Event()
        back = threading.Thread(target=self._answers, args=(service, client, muted), daemon=True)
        back.start()
        with client, service:
            for request in _pieces(client):
                if self._is_the_one(request):
                    muted.set()
                if not _passed(service, request):
                    break
            with contextlib.suppress(OSError):
                service.shutdown(socket.SHUT_RDWR)
            back.join()

    def _answers(
        self, service: socket.socket, client: socket.socket, muted: threading.Event
    ) -> None:
        for answer in _pieces(service):
            if muted.is_set():
                self.cut()  # the service has done it, and its answer is gone
                break
            if not _passed(client, answer):
                break
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def _is_the_one(self, request: bytes) -> bool:
        with self._guard:
            if self._mute is None or not self._mute(request):
                return False
            self._mute = None
            return True


def _pieces(source: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            piece = source.recv(1 << 16)
        except OSError:
            return
        if not piece:
            return
        yield piece


def _passed(target: socket.socket, piece: bytes) -> bool:
    try:
        target.sendall(piece)
    except OSError:
        return False
    return True


@contextmanager
def link_to(url: str) -> Iterator[Link]:
    """A link to the server of a database's URL."""
    parts = urlsplit(url)
    link = Link(parts.hostname or "127.0.0.1", parts.port or 5432)
    try:
        yield link
    finally:
        link.close()
