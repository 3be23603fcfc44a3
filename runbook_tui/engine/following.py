"""Watching a run that somebody else drives: what is new, as it comes, without driving."""

from __future__ import annotations

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


def parted(seen: Seen) -> bool:
    """Whether nobody drives, and nothing was said since."""
    return seen.held is None and not seen.records


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
