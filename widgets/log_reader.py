"""The thread that reads a log for its indexes, behind what is looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from widgets.log_file import LogFile
from widgets.log_index import Index


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
