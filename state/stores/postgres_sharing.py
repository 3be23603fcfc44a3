"""Writes what one attempt of this machine leaves into the shared database: its output, its result,
and what it says about itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from state.stores import shared_output
from state.stores.attempt_dir import AttemptDir
from state.stores.postgres_link import Link
from state.stores.shared_output import Mark

BATCH: Final = 1 << 18
"""Most bytes of a row."""

MOST: Final = 1 << 20
"""Most bytes that are shared of samples, and of how hosts stood."""

_AT_ONCE: Final = 8
"""Batches of one attempt before it is another's turn."""

SIZE: Final = "SELECT max(start + length(content)) FROM runbook.outputs WHERE attempt = %(attempt)s"
READ: Final = """
SELECT start, content FROM runbook.outputs
WHERE attempt = %(attempt)s AND start + length(content) > %(offset)s ORDER BY start LIMIT 4
"""
_WRITE: Final = """
INSERT INTO runbook.outputs (attempt, start, content)
VALUES (%(attempt)s, %(start)s, %(content)s) ON CONFLICT (attempt, start) DO NOTHING
"""


def result_of(attempt: str) -> str:
    """Return the name under which an attempt's result is shared: no attempt's own."""
    return f"{attempt}/result"


def others(attempt: str, directory: AttemptDir) -> Mapping[str, Path]:
    """Return the files that grow beside the output, by the names under which they are shared."""
    return {f"{attempt}/samples": directory.samples, f"{attempt}/hosts": directory.hosts}


class Sharing:
    """One attempt, and up to where it is shared. For one thread."""

    def __init__(self, root: Path, attempt: str, side: Link) -> None:
        self._attempt = attempt
        self._directory = AttemptDir(root / attempt)
        self._side = side
        self._offset: int | None = None
        """Up to where the stream of its output is shared; None: to be asked."""
        self._marks: list[Mark] = []
        self._others: dict[str, int] = {}
        self._told = False
        """Whether its result is shared."""

    def share(self) -> bool:
        """Share a few batches; return whether there is more. Raises StoreError, OSError."""
        try:
            return self._share()
        except BaseException:
            self._offset = None  # it is not known what was kept
            self._others.clear()
            raise

    def is_done(self) -> bool:
        """Whether nothing more can come of an attempt whose output is shared to its end."""
        # Whether it lives comes first: a result that it left as it went is seen after it.
        alive = self._directory.live().alive
        return self._told or not (alive or self._directory.result_bytes())

    def _share(self) -> bool:
        result = self._directory.result_bytes()  # asked first: all else was written before it
        for name, path in others(self._attempt, self._directory).items():
            self._share_other(name, path)
        if self._offset is None:
            self._offset = self._size(self._attempt)
            self._marks = self._read_marks()
        try:
            file = self._directory.output.open("rb")
        except FileNotFoundError:
            return False
        with file:
            for _ in range(_AT_ONCE):
                content = self._next(file, lambda: result is not None or not self._lives())
                if not content:
                    self._share_result(result)
                    return False
                self._write(self._attempt, self._offset, content)
                self._offset += len(content)
        return True

    def _next(self, file: BinaryIO, ended: Callable[[], bool]) -> bytes:
        """Return what comes next in the shared stream; nothing when there is nothing now."""
        offset, size = self._offset or 0, os.fstat(file.fileno()).st_size
        path = str(self._directory.output)
        if not self._marks:
            first = shared_output.first_mark(offset, size, path)
            if first is None:
                return self._beginning(file, offset, ended)
            self._keep(first)
        if len(self._marks) == 1 and offset >= self._marks[0].end:
            if not ended():
                return b""
            self._keep(shared_output.second_mark(self._marks[0], file, size, path))
        for mark in self._marks:
            if offset < mark.end:
                return mark.words.encode()[offset - mark.at :]
        last = self._marks[-1]
        if offset - last.end >= 2 * shared_output.TAIL:
            return b""  # what a step left behind may write for ever
        file.seek(last.file + offset - last.end)
        return file.read(BATCH)

    def _beginning(self, file: BinaryIO, offset: int, ended: Callable[[], bool]) -> bytes:
        """Return what comes next of an output that is not too long so far."""
        head = shared_output.HEAD
        if offset >= head and not ended():
            return b""
        file.seek(offset)
        return file.read(min(BATCH, head - offset) if offset < head else BATCH)

    def _lives(self) -> bool:
        return self._directory.live().alive

    def _share_other(self, name: str, path: Path) -> None:
        if not path.exists():
            return
        offset = self._others.get(name)
        if offset is None:
            offset = self._size(name)
        with path.open("rb") as file:
            file.seek(offset)
            while content := file.read(min(BATCH, MOST - offset)):
                self._write(name, offset, content)
                offset += len(content)
        self._others[name] = offset

    def _share_result(self, result: bytes | None) -> None:
        """Share how it ended, once: whoever drives the run elsewhere waits for it."""
        if result is not None and not self._told:
            self._write(result_of(self._attempt), 0, result)
            self._directory.note_shared()
            self._told = True

    def _keep(self, mark: Mark) -> None:
        """Keep a mark before it stands in the stream: a later program goes on behind it."""
        self._write(self._marks_name, len(self._marks), mark.dump())
        self._marks = self._read_marks()

    def _read_marks(self) -> list[Mark]:
        rows = self._side.read(READ, {"attempt": self._marks_name, "offset": 0})
        return [shared_output.load_mark(bytes(content)) for _, content in rows]

    @property
    def _marks_name(self) -> str:
        return f"{self._attempt}/left-out"

    def _size(self, name: str) -> int:
        size: int | None = self._side.read(SIZE, {"attempt": name})[0][0]
        return size or 0

    def _write(self, name: str, start: int, content: bytes) -> None:
        self._side.rows(_WRITE, {"attempt": name, "start": start, "content": content})
