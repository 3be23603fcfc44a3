"""The journal of one run as the driver writes it: validate, journal (fsync), then publish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runbook_tui.engine.patience import Found, Patience
from state import fold
from state.codec import canonical
from state.errors import Overtaken, StoreAway
from state.events import Payload, Record
from state.payloads import to_data
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

    def __init__(
        self,
        journal: Journal,
        state: RunState,
        author: Author,
        publish: Publish,
        patience: Patience | None = None,
    ) -> None:
        """With `patience` a store that is away is awaited, else StoreAway ends the recording."""
        self._journal = journal
        self._author = author
        self._publish = publish
        self._patience = patience
        self.state = state

    @classmethod
    def of_run(
        cls,
        journal: Journal,
        run: str,
        author: Author,
        publish: Publish,
        known: RunState | None = None,
        patience: Patience | None = None,
    ) -> Recorder:
        """Return a recorder for a run in the journal, at its present state.

        `known` is an earlier state of it, so that only what came since is read.
        """
        if known is None or known.run != run:
            return cls(journal, fold.fold(journal.read(run)), author, publish, patience)
        for record in journal.read(run, known.seq):
            known = fold.apply(known, record)
        return cls(journal, known, author, publish, patience)

    @property
    def token(self) -> int:
        """The token of the driver's leases."""
        return self._author.token

    def until_back(self, call: Callable[[], Found]) -> Found:
        """Return what a call to the store returns that may be made again; see `Patience`."""
        return call() if self._patience is None else self._patience.until_back(call)

    @property
    def operator(self) -> str:
        """The operator in whose name is recorded."""
        return self._author.operator

    def record(self, *payloads: Payload) -> None:
        """Journal events, all or none, and publish the new state.

        Raises FoldError before anything is written when one cannot follow, StoreError when the
        store refuses, Fenced when another driver has taken over.
        """
        ahead = self.state
        for payload in payloads:
            ahead = fold.foresee(ahead, payload)
        records = self._append_patiently(payloads)
        for record in records:
            self.state = fold.apply(self.state, record)
        self._publish(self.state, records)

    def _append(self, payloads: Sequence[Payload]) -> list[Record]:
        return self._journal.append(
            self.state.run,
            payloads,
            operator=self._author.operator,
            host=self._author.host,
            token=self._author.token,
            after=self.state.seq,
        )

    def _append_patiently(self, payloads: Sequence[Payload]) -> list[Record]:
        """Add records; when the store goes away meanwhile, wait and find out what it has kept."""
        try:
            return self._append(payloads)
        except StoreAway as problem:
            if self._patience is None:
                raise
            self._patience.wait(problem)

        def again() -> list[Record]:
            kept = self._kept(payloads)
            if kept:
                return kept
            try:
                return self._append(payloads)
            except Overtaken:
                # What was sent before the store went may be done only now, by a server that hung.
                kept = self._kept(payloads)
                if kept:
                    return kept
                raise

        return self._patience.until_back(again)

    def _kept(self, payloads: Sequence[Payload]) -> list[Record]:
        """Return what the store has kept of what we tried to add; nothing if it is not ours."""
        found = self._journal.read(self.state.run, self.state.seq)
        return found if self._ours(found, payloads) else []

    def _ours(self, kept: Sequence[Record], payloads: Sequence[Payload]) -> bool:
        """Whether what the store has kept is what we tried to add: a token is one driver's."""
        wanted = [(payload.kind, canonical(to_data(payload))) for payload in payloads]
        found = [(record.kind, canonical(record.data)) for record in kept]
        return wanted == found and all(record.token == self._author.token for record in kept)
