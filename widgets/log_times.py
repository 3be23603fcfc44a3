"""When each stretch of a log was written."""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from pathlib import Path

from widgets.log_file import LogFile

_TIME = struct.Struct("<QQ")


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
