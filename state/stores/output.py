"""A step's output on disk: the log itself, when each part came, and from which stream.

`output.log` holds the bytes as they may be shown. `times` and `streams` are indexes of fixed
records (offset into the log, then Unix milliseconds or the stream's number), so that any place is
found by halving without reading the log.
"""

from __future__ import annotations

import os
import struct
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from state.stores.attempt_dir import AttemptDir
from state.stores.files import write_all
from state.stores.paths import FILE_MODE

Stream = Literal["stdout", "stderr"]
STREAMS: Final[tuple[Stream, ...]] = ("stdout", "stderr")
TIME_RECORD: Final = struct.Struct("<QQ")
STREAM_RECORD: Final = struct.Struct("<QB")
INDEX_MS: Final = 100
"""A time is noted at most this often, in milliseconds."""


class OutputWriter:
    """Appends to an attempt's log. One writer at a time; a later one goes on at the end."""

    def __init__(self, directory: AttemptDir, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._directory = directory
        self._log = _to_append(directory.output)
        self._times: int | None = None
        self._streams: int | None = None
        self._size = os.fstat(self._log).st_size
        self._noted = 0
        # What no index tells of is standard output: most steps need no file for it.
        self._stream: Stream | None = "stdout" if self._size == 0 else None

    def write(self, content: bytes, stream: Stream = "stdout") -> None:
        """Append bytes that may be shown. Raises OSError (a full disk)."""
        if not content:
            return
        now = int(self._clock() * 1000)
        # Indexes first: a reader that sees the bytes finds their time and stream.
        if not 0 <= now - self._noted < INDEX_MS:
            if self._times is None:
                self._times = _to_append(self._directory.times)
            write_all(self._times, TIME_RECORD.pack(self._size, now))
            self._noted = now
        if stream != self._stream:
            if self._streams is None:
                self._streams = _to_append(self._directory.streams)
            write_all(self._streams, STREAM_RECORD.pack(self._size, STREAMS.index(stream)))
            self._stream = stream
        try:
            write_all(self._log, content)
            self._size += len(content)
        except OSError:
            self._size = os.fstat(self._log).st_size  # a part may have gone in
            raise

    def close(self) -> None:
        """Close the files."""
        for handle in (self._log, self._times, self._streams):
            if handle is not None:
                os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _to_append(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    return os.open(path, flags, FILE_MODE)


class _Index:
    """A growing file of fixed records, sorted by both numbers; read where asked, never whole."""

    def __init__(self, path: Path, record: struct.Struct) -> None:
        self._path = path
        self._record = record
        self._handle: int | None = None

    def last_at_most(self, number: int) -> tuple[int, int] | None:
        """Return the last record whose first number is at most `number`."""
        return self._pair(bisect_right(range(self._count()), number, key=self._first) - 1)

    def first_since(self, number: int) -> tuple[int, int] | None:
        """Return the first record whose second number is at least `number`."""
        return self._pair(bisect_left(range(self._count()), number, key=self._second))

    def last(self) -> tuple[int, int] | None:
        """Return the last record."""
        return self._pair(self._count() - 1)

    def close(self) -> None:
        """Close the file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _count(self) -> int:
        if self._handle is None:
            try:
                self._handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return 0
        return os.fstat(self._handle).st_size // self._record.size

    def _read(self, place: int) -> tuple[int, int]:
        assert self._handle is not None  # noqa: S101 - opened by _count, which gave the place
        size = self._record.size
        first, second = self._record.unpack(os.pread(self._handle, size, place * size))
        return first, second

    def _pair(self, place: int) -> tuple[int, int] | None:
        return self._read(place) if 0 <= place < self._count() else None

    def _first(self, place: int) -> int:
        return self._read(place)[0]

    def _second(self, place: int) -> int:
        return self._read(place)[1]


class OutputIndex:
    """Looks up when, and on which stream, a place of the log was written, while it grows."""

    def __init__(self, directory: AttemptDir) -> None:
        self._times = _Index(directory.times, TIME_RECORD)
        self._streams = _Index(directory.streams, STREAM_RECORD)

    def time_of(self, offset: int) -> int | None:
        """Return when the byte at `offset` was written, in Unix ms; None when nobody noted it."""
        found = self._times.last_at_most(offset)
        return found[1] if found else None

    def offset_at(self, moment: int) -> int:
        """Return the offset of the first output noted at or after a Unix time in ms, or the last.

        Where the clock was set back in between, one of the places with that time.
        """
        found = self._times.first_since(moment) or self._times.last()
        return found[0] if found else 0

    def stream_of(self, offset: int) -> Stream:
        """Return the stream that the byte at `offset` came from."""
        found = self._streams.last_at_most(offset)
        return STREAMS[found[1]] if found else "stdout"

    def close(self) -> None:
        """Close the files."""
        self._times.close()
        self._streams.close()
