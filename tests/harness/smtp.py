"""A small SMTP server that keeps what it accepts; a test says what it answers."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Post:
    """A running server. `answers` replaces the answer to a command; None cuts the connection."""

    port: int = 0
    mails: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    answers: dict[str, str | None] = field(default_factory=dict)
    encrypted: bool = False


@contextmanager
def post(tls: Path | None = None) -> Iterator[Post]:
    """Serve on a free port of the loopback; `tls` (certificate and key) is for STARTTLS."""
    box = Post()
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            _Talk(box, self, context).run()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()


class _Talk:
    """One connection, after RFC 5321 and so much of RFC 3207 and 4954 as clients need."""

    def __init__(
        self, box: Post, handler: socketserver.StreamRequestHandler, context: ssl.SSLContext | None
    ) -> None:
        self.box = box
        self.context = context
        self.socket = handler.request
        self.lines = handler.rfile

    def run(self) -> None:
        """Greet, then answer commands until the client leaves or is cut off."""
        going = self.say("220 test")
        while going and (line := self.lines.readline()):
            going = self.command(line.decode().strip())
        if isinstance(self.socket, ssl.SSLSocket):
            self.socket.close()

    def say(self, text: str) -> bool:
        self.socket.sendall(text.encode() + b"\r\n")
        return not text.startswith("221")

    def command(self, line: str) -> bool:
        word = line.split(":")[0].split()[0].upper()
        scripted = self.box.answers.get(f"{word} {line.partition(':')[2].strip('<>')}".strip(), "")
        scripted = scripted or self.box.answers.get(word, "") if scripted is not None else None
        if scripted is None:
            return False
        if scripted:
            return self.say(scripted)
        return self.plain(word, line)

    def plain(self, word: str, line: str) -> bool:
        if word == "EHLO":
            offers = ["250-test", "250-AUTH PLAIN"] if self.box.encrypted else ["250-test"]
            if self.context and not self.box.encrypted:
                offers.append("250-STARTTLS")
            return self.say("\r\n".join([*offers, "250 HELP"]))
        if word == "STARTTLS" and self.context:
            self.say("220 go on")
            self.socket = self.context.wrap_socket(self.socket, server_side=True)
            self.lines = self.socket.makefile("rb")
            self.box.encrypted = True
            return True
        if word == "RCPT":
            self.box.recipients.append(line.partition("<")[2].rstrip(">"))
        if word == "AUTH":
            self.box.logins.append(line.split()[-1])
            return self.say("235 welcome")
        if word == "DATA":
            return self.data()
        return self.say("221 bye" if word == "QUIT" else "250 ok")

    def data(self) -> bool:
        self.say("354 go on")
        lines = []
        while (line := self.lines.readline()) not in {b".\r\n", b""}:
            lines.append(line)
        self.box.mails.append(b"".join(lines))
        answer = self.box.answers.get("END", "250 queued")
        return answer is not None and self.say(answer)
