"""The journal of one run as the driver writes it: validate, journal (fsync), then publish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from state import fold
from state.events import Payload, Record
from state.protocols import Journal
from state.run_state import RunState

Publish = Callable[[RunState, Sequence[Record]], None]


@dataclass(frozen=True, slots=True)
class Author:
    """In whose name is recorded: the operator, their host, the token of the driver's locks."""

    operator: str
    host: str
    token: int


class Recorder:
    """Holds the recorded state and adds to it. Not thread-safe: the driver's alone."""

    def __init__(self, journal: Journal, state: RunState, author: Author, publish: Publish) -> None:
        self._journal = journal
        self._author = author
        self._publish = publish
        self.state = state

    @classmethod
    def of_run(
        cls,
        journal: Journal,
        run: str,
        author: Author,
        publish: Publish,
        known: RunState | None = None,
    ) -> Recorder:
        """Return a recorder for a run in the journal, at its present state.

        `known` is an earlier state of it, so that only what came since is read.
        """
        if known is None or known.run != run:
            return cls(journal, fold.fold(journal.read(run)), author, publish)
        for record in journal.read(run, known.seq):
            known = fold.apply(known, record)
        return cls(journal, known, author, publish)

    @property
    def operator(self) -> str:
        """The operator in whose name is recorded."""
        return self._author.operator

    def record(self, *payloads: Payload) -> None:
        """Journal events, all or none, and publish the new state.

        Raises FoldError before anything is written when one cannot follow, StoreError when the
        store refuses.
        """
        ahead = self.state
        for payload in payloads:
            ahead = fold.foresee(ahead, payload)
        records = self._journal.append(
            self.state.run,
            payloads,
            operator=self._author.operator,
            host=self._author.host,
            token=self._author.token,
            after=self.state.seq,
        )
        for record in records:
            self.state = fold.apply(self.state, record)
        self._publish(self.state, records)
