"""Runs with those that roll them back: they are kept, or go, together. Pure but for the looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from runbook_tui.archive import alone
from runbook_tui.engine import clock
from state.errors import CodecError, FoldError, StoreCorrupt
from state.fold import fold
from state.run_state import RunState
from state.stores.attempt_dir import AttemptDir
from state.stores.store import Store


@dataclass(slots=True)
class Family:
    """A run and its linked ones, the base first. `damaged` says why one cannot be read."""

    states: list[RunState] = field(default_factory=list)
    damaged: str | None = None

    @property
    def runs(self) -> list[str]:
        """The ids of its runs."""
        return [state.run for state in self.states]

    @property
    def at(self) -> str:
        """When the last thing happened in it, as the journal writes times."""
        return max(state.at for state in self.states)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to go. `older_than` is in seconds, `keep` a count of the newest; None: no matter.

    `force` lets resumable runs go too.
    """

    older_than: float | None
    keep: int | None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a family goes; if not, `why` it stays. `bytes` is what it takes."""

    family: Family
    goes: bool
    why: str
    bytes: int


def families(store: Store) -> tuple[list[Family], list[str]]:
    """Return all families, the one in which something happened last first, and damaged runs."""
    states: dict[str, RunState] = {}
    damaged: list[str] = []
    for run in store.journal.runs():
        try:
            states[run] = fold(store.journal.read(run))
        except (CodecError, FoldError, StoreCorrupt):
            damaged.append(run)
    found: dict[str, Family] = {}
    for run in reversed(states):
        found.setdefault(_first(run, states), Family()).states.append(states[run])
    # A family of which one cannot be read is not judged: nobody knows what it waits for.
    for run, family in list(found.items()):
        if any({state.rollback_by, state.base} & set(damaged) for state in family.states):
            del found[run]
            damaged.append(run)
    return sorted(found.values(), key=lambda family: family.at, reverse=True), damaged


def _first(run: str, states: dict[str, RunState]) -> str:
    """Return the run at the head of a run's family."""
    known = {run}
    # What was imported may say of itself what it likes: also that it rolls itself back.
    while (base := states[run].base) is not None and base in states and base not in known:
        known.add(base)
        run = base
    return run


def judge(store: Store, all_: Sequence[Family], wish: Wish, now: str) -> list[Verdict]:
    """Return for each family whether it goes. Families come newest first."""
    verdicts = []
    for place, family in enumerate(all_):
        why = _why_not(store, family, wish, place, now)
        total = sum(_bytes(store, run) for run in family.runs)
        verdicts.append(Verdict(family, why is None, why or "", total))
    return verdicts


def _why_not(store: Store, family: Family, wish: Wish, place: int, now: str) -> str | None:
    """Return why a family stays; None when it goes."""
    if wish.keep is not None and place < wish.keep:
        return f"one of the newest {wish.keep}"
    if wish.older_than is not None and clock.later(family.at, wish.older_than) > now:
        return "not old enough"
    if busy := why_busy(store, family):
        return busy
    resumable = [one for one in family.states if not one.final and store.origin(one.run) is None]
    if resumable and not wish.force:
        return f"can be resumed ({resumable[0].status.value}); --force removes it all the same"
    return None


def why_busy(store: Store, family: Family) -> str | None:
    """Return who is at work in a family; None when nobody is known to be."""
    for state in family.states:
        if store.leases.held_by("run", state.run) is not None:
            return "somebody drives it"
        history = store.origin(state.run) is not None
        for step, attempt in state.open_attempts():
            if not store.begun_here(attempt):
                if history:
                    continue
                return f"{step.id} may run on another machine"
            if AttemptDir(store.directory / attempt.directory).live().alive:
                return f"{step.id} still runs"
    return None


def _bytes(store: Store, run: str) -> int:
    kept = store.keeper.size(run) if store.keeper is not None else 0
    return kept + alone.size(store.directory / "runs" / run)
