"""A log of any size, read where it is looked at: memory stays flat, any line is reachable.

The file is divided into blocks of 64 KiB. An index keeps one number a block: how many lines (or
hits) begin in it. What a block holds is read again when somebody looks there. Indexing runs in the
background (`LogReader`); everything here works with what has been read so far.
"""

from __future__ import annotations

import os
import struct
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import re2

BLOCK = 65536
"""Bytes a block."""

LONGEST = 1 << 20
"""Bytes of one line that are searched; a longer line is shown and searched up to here."""

SHOWN = 8192
"""Bytes of one line that are ever given to the screen."""

_CACHED_BLOCKS = 8
_TIME = struct.Struct("<QQ")


class PatternError(ValueError):
    """A search expression cannot be read; the text says where and why."""


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


class Pattern:
    """A search expression, compiled once; matches lines, ignoring case when it is all lower."""

    def __init__(self, text: str, *, literal: bool = False) -> None:
        """Raise PatternError when `text` is no regular expression (RE2 syntax)."""
        options = re2.Options()
        options.never_nl = True
        options.log_errors = False
        options.literal = literal
        options.case_sensitive = any(character.isupper() for character in text)
        options.max_mem = 8 << 20
        self.text = text
        source = text if literal else f"(?m:{text})"
        try:
            self._compiled = re2.compile(source.encode(), options)
        except re2.error as problem:
            raise PatternError(_in_words(problem)) from None

    def spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield where the pattern is found in `data`; empty matches are left out."""
        for match in self._compiled.finditer(data):
            if match.end() > match.start():
                yield match.start(), match.end()


def _in_words(problem: Exception) -> str:
    detail = problem.args[0] if problem.args else problem
    return detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)


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


class Times:
    """When lines were written: the attempt's index of (offset, milliseconds since the epoch)."""

    def __init__(self, path: Path) -> None:
        self._file = LogFile(path)

    def _entry(self, number: int) -> tuple[int, int]:
        offset, moment = _TIME.unpack(self._file.read(number * _TIME.size, _TIME.size))
        return offset, moment

    def count(self) -> int:
        """Return how many moments are kept."""
        return self._file.size() // _TIME.size

    def at(self, offset: int) -> int | None:
        """Return when the byte at `offset` was written, in milliseconds; None if not known."""
        number = bisect_right(range(self.count()), offset, key=lambda i: self._entry(i)[0]) - 1
        return self._entry(number)[1] if number >= 0 else None

    def offset(self, moment: int) -> int | None:
        """Return the first offset that was written at or after `moment` (milliseconds)."""
        count = self.count()
        number = bisect_left(range(count), moment, key=lambda i: self._entry(i)[1])
        return self._entry(number)[0] if number < count else None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class LogReader(threading.Thread):
    """Brings indexes up to the file's end, in the background, one block of each at a time."""

    def __init__(self, path: Path, indexes: list[Index], changed: Callable[[], None]) -> None:
        """`changed` is called from this thread after each stretch of reading."""
        super().__init__(name=f"log {path.name}", daemon=True)
        self._file = LogFile(path)
        self._indexes = indexes
        self._changed = changed
        self._wake = threading.Event()
        self._closing = False

    def set_indexes(self, indexes: list[Index]) -> None:
        """Read for these indexes from now on; the first is served first."""
        self._indexes = indexes
        self._wake.set()

    def close(self) -> None:
        """End the thread; returns once it is gone."""
        self._closing = True
        self._wake.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Read until closed; look for growth ten times a second."""
        try:
            while not self._closing:
                self._wake.clear()
                if self._stretch():
                    self._changed()
                else:
                    self._wake.wait(0.1)
        finally:
            self._file.close()

    def _stretch(self) -> bool:
        """Read up to 64 blocks (4 MiB) for each index; True when anything was read."""
        size, moved = self._file.size(), False
        for index in self._indexes:
            for _ in range(64):
                before = index.covered
                more = index.advance(self._file, size)
                moved = moved or index.covered != before
                if not more or self._closing:
                    break
        return moved
