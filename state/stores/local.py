"""What a store on one machine has to say about output, news and identities: little."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from state.claims import Claimant, Claimed
from state.protocols import JournalReader
from state.stores.attempt_dir import AttemptDir
from state.watcher import Watcher

CHUNK: Final = 1 << 18
"""Bytes that are read at once."""

_LOOK_EVERY: Final = 0.05


class LocalOutputs:
    """The `Outputs` of one machine: the files themselves. Raises OSError."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def follow(self, attempt: str) -> None:
        """Nothing to do: whoever can read the journal can read the files."""

    def finish(self, attempt: str) -> None:
        """Nothing to do."""

    def size(self, attempt: str) -> int | None:
        """Return the size of the file; None when there is none."""
        try:
            return AttemptDir(self._directory / attempt).output.stat().st_size
        except FileNotFoundError:
            return None

    def read(self, attempt: str, offset: int = 0) -> Iterator[bytes]:
        """Yield the file from a byte offset on, to its present end."""
        try:
            file = AttemptDir(self._directory / attempt).output.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(offset)
            while chunk := file.read(CHUNK):
                yield chunk

    def fetch(self, attempt: str) -> None:
        """Nothing to do: every attempt is local."""


class PollingNews:
    """`News` of a store that wakes nobody: it is looked at, twenty times a second."""

    def __init__(self, journal: JournalReader) -> None:
        self._journal = journal

    def wait(self, run: str, after: int, timeout: float) -> bool:
        """Wait up to `timeout` seconds; True as soon as the run has records after `after`."""
        deadline = time.monotonic() + timeout
        while True:
            head = self._journal.head(run)
            if head is not None and head.count > after:
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(_LOOK_EVERY, left))


class LocalClaims:
    """The `Claims` of one machine: the files decide all of it."""

    def claim(self, run: str, attempt: str, claimant: Claimant, *, token: int) -> Claimed:
        """Return that the claim is had, and begun whenever it may be."""
        return Claimed(ours=True)


class NoPresence:
    """The `Presence` of a store in which nobody's word counts for more than another's."""

    def beat(self, run: str, *, operator: str, host: str) -> None:
        """Nothing to do."""

    def leave(self) -> None:
        """Nothing to do."""

    def watching(self, run: str) -> list[Watcher]:
        """Return nobody."""
        return []


class NoIdentities:
    """The `Identities` of a store that knows nobody."""

    def own(self) -> str | None:
        """Return None: whoever may read the files may write them."""
        return None

    def is_member(self, identity: str, role: str) -> bool:
        """Return False."""
        return False
