"""Removes runs: their events, what only they began with, and their attempts' files.

The journal first, then the files, which were marked before: killed at any point, a run is there
with all that belongs to it, or is not there and its files are known to be nobody's. (The other way
round a run could be listed whose logs are gone.) The next prune or import removes such files.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from runbook_tui.archive.alone import REMOVED, alone, tidy
from runbook_tui.archive.families import Family, Verdict
from runbook_tui.engine import clock, faults
from state.holders import Held
from state.protocols import Keeper
from state.stores.files import sync_directory
from state.stores.paths import FILE_MODE
from state.stores.store import Store


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was done: families removed, those that somebody took up meanwhile, bytes given back."""

    removed: tuple[Verdict, ...]
    spared: tuple[Family, ...]
    store_bytes: int


def prune(store: Store, keeper: Keeper, going: list[Verdict], operator: str) -> Pruned:
    """Remove families. One that somebody drives, or went on with, meanwhile is spared.

    Raises StoreError, OSError: what was removed by then stays removed.
    """
    removed: list[Verdict] = []
    spared: list[Family] = []
    with alone(store.directory):
        tidy(store.directory, store.journal)
        for verdict in going:
            with _held(store, verdict.family, operator) as ours:
                if ours:
                    _remove(store, keeper, verdict.family)
            if ours:
                removed.append(verdict)
            else:
                spared.append(verdict.family)
        quiet = not any(store.leases.held_by("run", run) for run in store.journal.runs())
        given_back = keeper.compact() if removed and quiet else 0
    return Pruned(tuple(removed), tuple(spared), given_back)


@contextmanager
def _held(store: Store, family: Family, operator: str) -> Iterator[bool]:
    """Hold the leases of all runs of a family; False when that, or the family, is not as it was."""
    with ExitStack() as stack:
        ours = True
        for state in family.states:
            lease = store.leases.acquire(
                "run",
                state.run,
                run=state.run,
                operator=operator,
                since=clock.utc(),
                above=state.token,
            )
            if isinstance(lease, Held):
                ours = False
                break
            stack.callback(lease.release)
            head = store.journal.head(state.run)
            ours = ours and head is not None and head.count == state.seq
        yield ours


def _remove(store: Store, keeper: Keeper, family: Family) -> None:
    places = [store.directory / "runs" / run for run in family.runs]
    places = [place for place in places if place.is_dir()]
    for place in places:
        (place / REMOVED).touch(FILE_MODE)
        sync_directory(place)
    faults.reach("prune.marked", family.runs[0])
    keeper.remove(family.runs)
    faults.reach("prune.removed", family.runs[0])
    for place in places:
        shutil.rmtree(place)
