"""Output of several hosts in one log: whole lines, each with its host's name in front."""

from __future__ import annotations

import threading
from typing import Final, Literal, Protocol

Stream = Literal["stdout", "stderr"]

LONGEST: Final = 65_536
"""Bytes after which a line is cut, wherever the chunks of it end."""


def prefix(host: str) -> bytes:
    """Return what stands before each line of a host's output."""
    return f"{host} | ".encode()


class Sink(Protocol):
    """Where lines go: an action's context, or what continues an earlier log."""

    def write(self, data: bytes, stream: Stream = "stdout") -> None:
        """Write whole lines."""


class HostLines:
    """Takes one host's output; `lock` is shared by all hosts of a step."""

    def __init__(self, context: Sink, host: str, lock: threading.Lock) -> None:
        self._context = context
        self._host = host
        self._prefix = prefix(host)
        self.last = ""
        """The newest whole line."""
        self._lock = lock
        self._parts: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}

    def feed(self, data: bytes, stream: Stream) -> None:
        """Write what is complete, keep the rest."""
        *whole, rest = (self._parts[stream] + data).split(b"\n")
        lines = [piece for line in whole for piece in _pieces(line)]
        *cut, self._parts[stream] = _pieces(rest)
        lines += cut
        if lines:
            self.last = lines[-1].decode("utf-8", "replace")
            self._to(b"".join(self._prefix + line + b"\n" for line in lines), stream)

    def log(self, text: str) -> None:
        """Write lines of our own: `~` tells them from what the host said."""
        note = f"{self._host} ~ {text}\n".encode(errors="replace")
        self._to(note, "stdout")

    def finish(self) -> None:
        """Write what has no line end."""
        for stream, rest in self._parts.items():
            if rest:
                self._to(self._prefix + rest + b"\n", stream)
            self._parts[stream] = b""

    def _to(self, data: bytes, stream: Stream) -> None:
        with self._lock:
            self._context.write(data, stream)


def _pieces(line: bytes) -> list[bytes]:
    """Return a line in pieces of at most LONGEST bytes; the last may be empty."""
    return [line[at : at + LONGEST] for at in range(0, len(line), LONGEST)] or [b""]
