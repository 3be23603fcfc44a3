"""Watching a run that somebody else drives: what is new, as it comes, without driving."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from state import fold
from state.events import Record
from state.holders import Held
from state.run_state import RunState
from state.stores.store import Store

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at who drives; events are told at once where the store wakes us."""


AFTER_LEAVING: Final = 5.0
AFTER_SILENCE: Final = 30.0
"""Seconds in which another driver may follow one that left, or one that was not heard of."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The run after `records` (none: nothing is new), and who drives it; None when nobody does."""

    state: RunState
    records: tuple[Record, ...]
    held: Held | None


def follow(store: Store, run: str, going: Callable[[], bool] = lambda: True) -> Iterator[Seen]:
    """Yield the run from its first event on, then whatever is new, and at least twice a second.

    Ends when not `going`, or when the run is over; goes on with the linked run of a rollback.
    Output of other machines is brought here. Raises StoreError, FoldError.
    """
    state: RunState | None = None
    while going():
        # Who drives is asked first: a driver's last words are then read after it had gone.
        held = store.leases.held_by("run", run)
        records = store.journal.read(run, state.seq if state is not None else 0)
        if state is None and not records:
            return
        state = _on(state, records)
        _fetch(store, state)
        yield Seen(state, tuple(records), held)
        linked = state.rollback_by if state.final else None
        if linked is not None and store.journal.head(linked) is not None:
            run, state = linked, None
        elif state.final and (linked is None or held is None):
            return
        else:
            store.news.wait(run, state.seq, LOOK_EVERY)


class Parted:
    """Tells when there is nothing more to wait for: nobody drives, and nobody follows for a while.

    Between two drivers of a run there may be seconds in which nobody holds it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._driven_at: float | None = None

    def by(self, seen: Seen) -> bool:
        """Whether it is over with what was just seen."""
        now = self._clock()
        if seen.held is not None:
            self._driven_at = now
        if seen.held is not None or seen.records:
            return False
        if self._driven_at is None:
            return True
        patience = AFTER_LEAVING if seen.state.left is not None else AFTER_SILENCE
        return now - self._driven_at > patience


def _on(state: RunState | None, records: Sequence[Record]) -> RunState:
    if state is None:
        return fold.fold(records)
    for record in records:
        state = fold.apply(state, record)
    return state


def _fetch(store: Store, state: RunState) -> None:
    """Bring the output here of what runs on another machine, so that it can be looked at."""
    for _, attempt in state.open_attempts():
        store.outputs.fetch(attempt.directory)
