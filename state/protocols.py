"""The borders of the stores: what the engine and the screens know of a journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from state.codec import Head
from state.events import Payload, Record, RunStarted


class JournalReader(Protocol):
    """Reads runs. All methods raise StoreError."""

    def runs(self) -> list[str]:
        """Return the ids of all runs, newest first."""

    def head(self, run: str) -> Head | None:
        """Return the run's count and last hash; None when there is no such run."""

    def read(self, run: str, after: int = 0) -> list[Record]:
        """Return the run's records after number `after`, in order; none for an unknown run."""

    def sources(self, run: str) -> dict[str, bytes]:
        """Return the definition that the run began with, byte for byte, by file name."""

    def close(self) -> None:
        """Let the store go."""


class Journal(JournalReader, Protocol):
    """Writes runs as well. What a method returned is on disk."""

    def create_run(
        self,
        run: str,
        started: RunStarted,
        *,
        operator: str,
        host: str,
        token: int,
        sources: Mapping[str, bytes],
    ) -> Record:
        """Begin a run with its first record and its definition's files. Raises RunExists."""

    def append(
        self,
        run: str,
        payloads: Sequence[Payload],
        *,
        operator: str,
        host: str,
        token: int,
        after: int | None = None,
    ) -> list[Record]:
        """Add records in one transaction, all or none, and return them: they are on disk then.

        With `after` (the number of the last record that the writer knows) raises Overtaken when
        the run has gone on since. Raises Fenced when a newer token has written, StoreFull when
        there is no room (nothing was kept), StoreUnusable when it is not known what was kept: read
        the run again before anything else.
        """
