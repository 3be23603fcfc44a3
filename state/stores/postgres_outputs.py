"""Output of attempts in the shared database: written in batches beside the run, read anywhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from state.errors import StoreError
from state.stores.attempt_dir import AttemptDir
from state.stores.files import read_or_none, write_whole
from state.stores.local import LocalOutputs
from state.stores.paths import DIRECTORY_MODE, FILE_MODE, make_directory
from state.stores.postgres_link import Pair
from state.stores.postgres_sharing import READ, SIZE, Sharing, others, result_of

_SHARE_EVERY: Final = 0.5
"""Seconds between two looks at what the attempts have written."""

_LEAVE_SECONDS: Final = 5.0
"""How long the end of a program waits for the rest to be shared."""


_NO_LONGER: Final = 0.5
"""The same where nobody answers."""


class PostgresOutputs:
    """The `Outputs` of one store: local files first, what was shared otherwise."""

    def __init__(self, directory: Path, pair: Pair, *, write: bool = True) -> None:
        """With `write`, shares what an earlier program had to leave behind."""
        self._directory = directory
        self._left = directory / "unshared"
        self._local = LocalOutputs(directory)
        self._main = pair.main
        self._side = pair.side
        self._guard = threading.Lock()
        self._shared: dict[str, Sharing] = {}
        """Attempts that are followed."""
        self._finished: set[str] = set()
        self._later: set[str] = set()
        """Attempts that still run as the program ends: another one shares how they end."""
        self._wake = threading.Event()
        self._leave_by: float | None = None
        self._thread: threading.Thread | None = None
        if write:
            self._take_up()

    def follow(self, attempt: str) -> None:
        """Share what a local attempt writes, from now on and by itself."""
        with self._guard:
            if attempt not in self._shared:
                self._shared[attempt] = Sharing(self._directory, attempt, self._side)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="outputs", daemon=True)
                self._thread.start()

    def finish(self, attempt: str) -> None:
        """The attempt has ended: share the rest, then no more."""
        with self._guard:
            self._finished.add(attempt)
        self._wake.set()

    def size(self, attempt: str) -> int | None:
        """Return how many bytes are there to read; None when nothing is known of it."""
        if self._is_local(attempt):
            return self._local.size(attempt)
        size: int | None = self._main.read(SIZE, {"attempt": attempt})[0][0]
        return size

    def read(self, attempt: str, offset: int = 0) -> Iterator[bytes]:
        """Yield the output from a byte offset on, as far as it is there now."""
        if self._is_local(attempt):
            return self._local.read(attempt, offset)
        return self._read(attempt, offset)

    def _read(self, name: str, offset: int) -> Iterator[bytes]:
        while rows := self._main.read(READ, {"attempt": name, "offset": offset}):
            for start, content in rows:
                if start > offset:
                    return
                yield bytes(content[offset - start :])
                offset = start + len(content)

    def fetch(self, attempt: str) -> None:
        """Bring what was shared of another machine's attempt into its directory here."""
        if self._is_local(attempt):
            return
        copy = AttemptDir(self._directory / attempt)
        make_directory(copy.path.parent)
        copy.path.mkdir(DIRECTORY_MODE, exist_ok=True)
        copy.output.touch(FILE_MODE)
        # The result first: it was shared last, so all that belongs to it is there then.
        result = (
            self._main.read(READ, {"attempt": result_of(attempt), "offset": 0})
            if copy.read_result() is None
            else ()
        )
        for name, path in {attempt: copy.output, **others(attempt, copy)}.items():
            self._bring(name, path)
        for _, content in result:
            copy.keep_result(bytes(content))

    def _bring(self, name: str, path: Path) -> None:
        """Add to a copy what has come since."""
        have = path.stat().st_size if path.exists() else 0
        for piece in self._read(name, have):
            path.touch(FILE_MODE)
            with path.open("ab") as file:
                file.write(piece)

    def close(self) -> None:
        """Share the rest, as far as that takes no longer than a few seconds."""
        thread = self._thread
        if thread is None:
            return
        with self._guard:
            self._finished |= set(self._shared)
        self._leave_by = time.monotonic() + _LEAVE_SECONDS
        self._wake.set()
        thread.join(_NO_LONGER if self._side.away else None)
        with self._guard:
            left = [*self._shared, *self._later]
        if left:
            write_whole(self._left, "\n".join(left).encode(), sync=False)

    def _take_up(self) -> None:
        """Share what an earlier program could not: the database was away when it ended."""
        left = read_or_none(self._left)
        if left is None:
            return
        self._left.unlink(missing_ok=True)
        for attempt in left.decode().split("\n"):
            self.follow(attempt)
            self.finish(attempt)

    def _is_local(self, attempt: str) -> bool:
        return AttemptDir(self._directory / attempt).exists()

    def _run(self) -> None:
        while True:
            self._wake.wait(_SHARE_EVERY)
            self._wake.clear()
            leave_by = self._leave_by
            with self._guard:
                attempts = list(self._shared)
            failed = [attempt for attempt in attempts if not self._share(attempt)]
            if leave_by is None:
                continue
            if failed or not self._shared or time.monotonic() > leave_by:
                return

    def _share(self, attempt: str) -> bool:
        """Share a few batches; False when that failed. It is tried again: the file stays."""
        with self._guard:
            sharing, last = self._shared[attempt], attempt in self._finished
        try:
            rest = sharing.share()
        except (StoreError, OSError):
            return False
        done = not rest and sharing.is_done()
        with self._guard:
            if last and not rest and (done or self._leave_by is not None):
                del self._shared[attempt]
                self._finished.discard(attempt)
                if not done:
                    self._later.add(attempt)
        if rest:
            self._wake.set()
        return True
