"""Whether a run may touch its environments now: nobody else drives there, nothing is unresolved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runbook_tui.engine import clock
from state import fold
from state.protocols import JournalReader
from state.run_state import RunState
from state.stores import locks
from state.stores.locks import Held, Holder, Lock


class InUse(Exception):  # noqa: N818 - it reads as what is the case
    """An environment, or the run itself, is in use: exit code 4."""

    def __init__(self, sentence: str, advice: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice


def take(
    state: Path, journal: JournalReader, run: str, names: Sequence[str], operator: str, above: int
) -> list[Lock]:
    """Take the lock of the run and of its environments, all or none.

    Raises InUse when somebody drives there, or when another run left an attempt in one of the
    environments whose outcome is not known yet.
    """
    for name in names:
        _refuse_unresolved(state, journal, run, name)
    since = clock.utc()
    held = locks.acquire_all(state, names, run=run, operator=operator, since=since, above=above)
    if isinstance(held, Held):
        raise _driven(f"The environment {held.name}", held.holder)
    own = locks.acquire(state, "run", run, run=run, operator=operator, since=since, above=above)
    if isinstance(own, Held):
        release(held)
        raise _driven(f"The run {run}", own.holder)
    return [*held, own]


def release(taken: Sequence[Lock]) -> None:
    """Let locks go."""
    for lock in taken:
        lock.release()


def _refuse_unresolved(state: Path, journal: JournalReader, run: str, name: str) -> None:
    last = locks.read_holder(state, "environment", name)
    if last is None or last.run == run:
        return
    for other in _family(journal, last.run):
        if other.run == run:
            return
        for step, attempt in other.open_attempts():
            raise InUse(
                f"The environment {name} has an attempt whose outcome is not known: {step.name} "
                f"of run {other.run}, begun by {other.driver} on {other.host} at "
                f"{attempt.started_at}.",
                f"Take it up first: runbook resume {other.run}",
            )


def _family(journal: JournalReader, run: str) -> list[RunState]:
    """Return the state of a run and of those that rolled it back."""
    found: list[RunState] = []
    following: str | None = run
    while following is not None:
        records = journal.read(following)
        if not records:
            break
        found.append(fold.fold(records))
        following = found[-1].rollback_by
    return found


def _driven(what: str, holder: Holder | None) -> InUse:
    if holder is None:
        return InUse(f"{what} is in use by another process.", "Try again when it has ended.")
    return InUse(
        f"{what} is in use: {holder.operator}@{holder.host} drives run {holder.run} there since "
        f"{holder.since} (process {holder.pid}).",
        "Wait until that run ends or its operator leaves it.",
    )
