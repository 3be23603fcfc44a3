"""A log of any size, read where it is looked at: memory stays flat, any line is reachable.

The file is divided into blocks of 64 KiB; what one holds is read again when somebody looks there.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = 65536
"""Bytes a block."""

LONGEST = 1 << 20
"""Bytes of one line that are searched; a longer line is shown and searched up to here."""

SHOWN = 8192
"""Bytes of one line that are ever given to the screen."""

_CACHED_BLOCKS = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One line: where it starts, where it ends (without its line end), and its first bytes."""

    start: int
    end: int
    data: bytes

    @property
    def cut(self) -> bool:
        """True when the line is longer than what is given to the screen."""
        return self.end - self.start > len(self.data)


class LogFile:
    """Reads lines of a growing file by their byte offsets. Not thread-safe: one for each thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None
        self._blocks: OrderedDict[int, tuple[int, bytes]] = OrderedDict()

    def size(self) -> int:
        """Return the file's size in bytes now; 0 while it does not exist."""
        if self._descriptor is None:
            try:
                self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return 0
        return os.fstat(self._descriptor).st_size

    def close(self) -> None:
        """Close the file; it is opened again when asked for something."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        self._blocks.clear()

    def read(self, start: int, length: int) -> bytes:
        """Return up to `length` bytes from `start` on."""
        if self.size() == 0 or self._descriptor is None:
            return b""
        return os.pread(self._descriptor, length, max(start, 0))

    def block(self, index: int) -> tuple[int, bytes]:
        """Return the lines that begin in a block: offset of the first, and their bytes.

        The bytes reach to the end of the last of these lines, but at most `LONGEST` further.
        """
        kept = self._blocks.get(index)
        if kept is not None:
            self._blocks.move_to_end(index)
            return kept
        start = index * BLOCK
        data = self.read(start - 1, BLOCK + 1) if index else self.read(0, BLOCK)
        full = len(data) == (BLOCK + 1 if index else BLOCK)
        if index:
            newline = data.find(b"\n")
            first = start + newline if newline >= 0 else start + BLOCK
            data = data[newline + 1 :] if newline >= 0 else b""
        else:
            first = 0
        closed = full
        if full and data and not data.endswith(b"\n"):
            rest = self._rest_of_line(start + BLOCK)
            closed = rest.endswith(b"\n") or len(rest) >= LONGEST
            data += rest
        if closed:
            self._blocks[index] = (first, data)
            if len(self._blocks) > _CACHED_BLOCKS:
                self._blocks.popitem(last=False)
        return first, data

    def _rest_of_line(self, offset: int) -> bytes:
        rest = b""
        while len(rest) < LONGEST:
            piece = self.read(offset + len(rest), BLOCK)
            newline = piece.find(b"\n")
            if newline >= 0:
                return rest + piece[: newline + 1]
            rest += piece
            if len(piece) < BLOCK:
                break
        return rest[:LONGEST]

    def line_at(self, start: int) -> Line:
        """Return the line that starts at `start`, at most `LONGEST` bytes of it."""
        data = self.read(start, SHOWN + 2)
        if b"\n" not in data:
            data += self._rest_of_line(start + len(data))
        return split(start, data)[0] if data else Line(start, start, b"")

    def forward(self, offset: int) -> Iterator[Line]:
        """Yield the lines that start at or after `offset`."""
        size = self.size()
        for index in range(offset // BLOCK, size // BLOCK + 1):
            yield from (line for line in self.lines_in(index) if line.start >= offset)

    def backward(self, offset: int) -> Iterator[Line]:
        """Yield the lines that start before `offset`, the nearest first."""
        for index in range(min(offset, self.size()) // BLOCK, -1, -1):
            yield from (line for line in reversed(self.lines_in(index)) if line.start < offset)

    def lines_in(self, index: int) -> list[Line]:
        """Return the lines that begin in a block."""
        first, data = self.block(index)
        return split(first, data)

    def start_of_line(self, offset: int) -> int:
        """Return where the line that holds `offset` starts."""
        index = min(offset, max(self.size() - 1, 0)) // BLOCK
        while index >= 0:
            first, data = self.block(index)
            if data and first <= offset:
                return first + data.rfind(b"\n", 0, offset - first) + 1
            index -= 1
        return 0


def split(first: int, data: bytes) -> list[Line]:
    """Return the lines of `data`, which begins at the file's offset `first`."""
    lines = []
    position = 0
    while position < len(data):
        newline = data.find(b"\n", position)
        end = newline if newline >= 0 else len(data)
        text_end = end - 1 if end > position and data[end - 1 : end] == b"\r" else end
        shown = data[position : min(text_end, position + SHOWN)]
        lines.append(Line(first + position, first + text_end, shown))
        position = end + 1
    return lines
