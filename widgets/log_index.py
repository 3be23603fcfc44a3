"""How many lines, or hits, begin in each block of a log: what finds the millionth line at once.

An index keeps one number a block. It is advanced in the background (`log_reader`); everything here
works with what has been read so far.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left, bisect_right

from widgets.log_file import BLOCK, LONGEST, LogFile
from widgets.log_pattern import Pattern


class Index:
    """How many lines, or lines with a hit, begin in each block; grows as the file is read."""

    def __init__(self, pattern: Pattern | None = None) -> None:
        self.pattern = pattern
        self.covered = 0
        """Bytes of the file that were read."""
        self._before = array("Q", [0])
        self._open = 0
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """Lines or hits found so far."""
        with self._lock:
            return self._before[-1] + self._open

    def advance(self, file: LogFile, size: int) -> bool:
        """Read the next block; False when everything up to `size` was read."""
        if self.covered >= size:
            return False
        index = len(self._before) - 1
        count = len(self.starts(file, index))
        with self._lock:
            if size >= (index + 1) * BLOCK and self._closed(file, index):
                self._before.append(self._before[-1] + count)
                self._open = 0
                self.covered = (index + 1) * BLOCK
            else:
                self._open = count
                self.covered = size
        return self.covered < size

    @staticmethod
    def _closed(file: LogFile, index: int) -> bool:
        _, data = file.block(index)
        return not data or data.endswith(b"\n") or len(data) > LONGEST

    def starts(self, file: LogFile, index: int) -> list[int]:
        """Return the offsets of the lines (with a hit) that begin in a block."""
        first, data = file.block(index)
        if not data:
            return []
        if self.pattern is None:
            return _line_starts(first, data)
        found: list[int] = []
        for start, _ in self.pattern.spans(data):
            line = first + data.rfind(b"\n", 0, start) + 1
            if not found or found[-1] != line:
                found.append(line)
        return found

    def rank(self, file: LogFile, offset: int) -> int | None:
        """Return how many lines (hits) start before `offset`; None when not read that far."""
        if offset > self.covered:
            return None
        with self._lock:
            index = min(offset // BLOCK, len(self._before) - 1)
            before = self._before[index]
        return before + bisect_left(self.starts(file, index), offset)

    def place(self, file: LogFile, number: int) -> int | None:
        """Return the offset of line (hit) `number`, from 0; None when not found so far."""
        with self._lock:
            if not 0 <= number < self._before[-1] + self._open:
                return None
            index = bisect_right(self._before, number) - 1
            before = self._before[index]
        starts = self.starts(file, index)
        return starts[number - before] if number - before < len(starts) else None

    def after(self, file: LogFile, offset: int) -> int | None:
        """Return the first line (hit) that starts at or after `offset`, as far as was read."""
        rank = self.rank(file, offset)
        return None if rank is None else self.place(file, rank)

    def before(self, file: LogFile, offset: int) -> int | None:
        """Return the last line (hit) that starts before `offset`, as far as was read."""
        rank = self.rank(file, min(offset, self.covered))
        return None if not rank else self.place(file, rank - 1)


def _line_starts(first: int, data: bytes) -> list[int]:
    starts = [first]
    position = data.find(b"\n")
    while 0 <= position < len(data) - 1:
        starts.append(first + position + 1)
        position = data.find(b"\n", position + 1)
    return starts


class LineCount(Index):
    """The index of all lines: counting needs no list of them."""

    def advance(self, file: LogFile, size: int) -> bool:
        """Read the next block; False when everything up to `size` was read."""
        if self.covered >= size:
            return False
        index = len(self._before) - 1
        start = index * BLOCK
        data = file.read(start - 1 if index else 0, BLOCK + 1 if index else BLOCK)
        begins = data.count(b"\n", 0, -1) + (1 if not index and data else 0)
        with self._lock:
            if size >= start + BLOCK:
                self._before.append(self._before[-1] + begins)
                self._open = 0
                self.covered = start + BLOCK
            else:
                self._open = begins
                self.covered = size
        return self.covered < size
