"""Output of several hosts in one log: whole lines, each with its host's name in front."""

from __future__ import annotations

import threading
from typing import Final, Literal

from runbook_tui.actions.api import Context

LONGEST: Final = 65_536
"""Bytes after which a line without an end is written anyway."""


class HostLines:
    """Takes one host's output; `lock` is shared by all hosts of a step."""

    def __init__(self, context: Context, host: str, lock: threading.Lock) -> None:
        self._context = context
        self._prefix = f"{host} | ".encode()
        self._lock = lock
        self._parts: dict[Literal["stdout", "stderr"], bytes] = {"stdout": b"", "stderr": b""}

    def feed(self, data: bytes, stream: Literal["stdout", "stderr"]) -> None:
        """Write what is complete, keep the rest."""
        *lines, rest = (self._parts[stream] + data).split(b"\n")
        if len(rest) > LONGEST:
            lines.append(rest)
            rest = b""
        self._parts[stream] = rest
        if lines:
            self._write(b"".join(self._prefix + line + b"\n" for line in lines), stream)

    def log(self, text: str) -> None:
        """Write lines of our own."""
        self.feed(text.encode() + b"\n", "stdout")

    def finish(self) -> None:
        """Write what has no line end."""
        for stream, rest in self._parts.items():
            if rest:
                self._write(self._prefix + rest + b"\n", stream)
            self._parts[stream] = b""

    def _write(self, data: bytes, stream: Literal["stdout", "stderr"]) -> None:
        with self._lock:
            self._context.write(data, stream)
