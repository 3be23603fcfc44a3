"""Whether a run may touch its environments now: nobody else drives there, nothing is unresolved."""

from __future__ import annotations

from collections.abc import Sequence

from runbook_tui.engine import clock
from state import fold
from state.errors import FoldError, StoreCorrupt, StoreError
from state.holders import Held, Kind
from state.protocols import JournalReader, Lease
from state.run_state import AttemptState, RunState
from state.stores.attempt_dir import AttemptDir
from state.stores.machine import process_stopped
from state.stores.store import Store


class InUse(Exception):  # noqa: N818 - it reads as what is the case
    """An environment, or the run itself, is in use: exit code 4.

    `held` is by whom; None when nobody drives and an attempt is unresolved.
    """

    def __init__(self, sentence: str, advice: str, held: Held | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice
        self.held = held


def take(
    store: Store,
    run: str,
    names: Sequence[str],
    operator: str,
    above: int,
    *,
    by_force: bool = False,
    run_too: bool = True,
) -> list[Lease]:
    """Take the leases of the run's environments and (`run_too`) of the run, all or none.

    `by_force` also takes those whose holder is heard of, where a token can fence that holder.

    Raises InUse when somebody drives there, or when another run left an attempt in one of the
    environments whose outcome is not known yet.
    """
    for name in names:
        held = None if by_force else store.leases.held_by("environment", name)
        if held is not None:
            # What runs there is no riddle: its driver knows.
            raise _driven("environment", held)
        _refuse_unresolved(store, run, name)
    wanted: list[tuple[Kind, str]] = [("environment", name) for name in sorted(set(names))]
    if run_too:
        wanted.append(("run", run))
    acquire = store.leases.take_over if by_force else store.leases.acquire
    since = clock.utc()
    taken: list[Lease] = []
    try:
        for kind, name in wanted:
            got = acquire(kind, name, run=run, operator=operator, since=since, above=above)
            if isinstance(got, Held):
                break
            taken.append(got)
        else:
            return taken
    except BaseException:
        release(taken)
        raise
    release(taken)
    raise _driven(kind, got)


def release(taken: Sequence[Lease]) -> None:
    """Let leases go."""
    for lease in taken:
        lease.release()


def unresolved(store: Store, run: str, name: str) -> InUse | None:
    """Return why a run may not begin in an environment that nobody drives in; None when it may.

    Raises StoreError.
    """
    try:
        _refuse_unresolved(store, run, name)
    except InUse as left:
        return left
    return None


def _refuse_unresolved(store: Store, run: str, name: str) -> None:
    last = store.leases.last_holder("environment", name)
    if last is None or last.run == run:
        return
    for other in _family(store.journal, last.run, name):
        if other.run == run:
            return
        for step, attempt in other.open_attempts():
            if store.origin(other.run) is not None:
                # Nobody will ever go on with it: only what can be seen to live stands in the way.
                _refuse_living(store, name, other, step.name, attempt)
                continue
            raise InUse(
                f"The environment {name} has an attempt whose outcome is not known: {step.name} "
                f"of run {other.run}, begun by {other.driver} on {attempt.host} at "
                f"{attempt.started_at}.",
                f"Take it up first: runbook resume {other.run}",
            )


def _refuse_living(
    store: Store, name: str, other: RunState, step: str, attempt: AttemptState
) -> None:
    if store.begun_here(attempt) and AttemptDir(store.directory / attempt.directory).live().alive:
        raise InUse(
            f"The environment {name} has a step that still runs: {step} of run {other.run}, which "
            "can only be read.",
            f'Wait for its end, or end it: runbook stop {other.run} --reason "why"',
        )


def _family(journal: JournalReader, run: str, name: str) -> list[RunState]:
    """Return the state of a run and of those that rolled it back. Raises StoreCorrupt."""
    found: list[RunState] = []
    following: str | None = run
    while following is not None:
        records = journal.read(following)
        if not records:
            break
        try:
            found.append(fold.fold(records))
        except FoldError as problem:
            raise StoreCorrupt(
                f"What the run {following} left in the environment {name} cannot be known, its "
                f"record is not intact: {problem}.",
                "Save what is proven of it: runbook audit --recover. Then begin anew",
            ) from problem
        following = found[-1].rollback_by
    return found


def _driven(kind: Kind, held: Held) -> InUse:
    what, holder = f"The {kind} {held.name}", held.holder
    if holder is None:
        return InUse(f"{what} is in use by another process.", "Try again when it has ended.", held)
    return InUse(
        f"{what} is in use: {who(held)} drives run {holder.run} there since {holder.since[:19]}Z "
        f"({seen(held)}).",
        ways_in(holder.run),
        held,
    )


def who(held: Held) -> str:
    """Return who drives, as `operator@host`."""
    holder = held.holder
    return f"{holder.operator}@{holder.host}" if holder is not None else "somebody"


def seen(held: Held) -> str:
    """Return how one knows that the driver is there: heard of, or its process and how that is."""
    if held.seen is not None:
        return f"seen {held.seen:.0f} s ago"
    if held.holder is None:
        return "its process lives"
    stopped = ", stopped" if process_stopped(held.holder.pid) else ""
    return f"process {held.holder.pid}{stopped}"


def ways_in(run: str) -> str:
    """Return how to watch a run that somebody else drives, and how to take it over."""
    return (
        f"Watch it: runbook watch {run}. Or, with its driver's leave: "
        f'runbook take-over {run} --reason "why"'
    )


def lost(store: Store, run: str) -> InUse:
    """Return what to say when somebody else has taken over the run that is driven here."""
    try:
        replaced = fold.fold(store.journal.read(run)).replaced
        held = store.leases.held_by("run", run)
    except StoreError:
        replaced = held = None
    if replaced is not None:
        at = f"{replaced.at[:19]}Z"
        by = f'{replaced.by}@{replaced.host} took over at {at}: "{replaced.reason}".'
    elif held is not None:
        by = f"{who(held)} has taken over."
    else:
        by = "Somebody else has taken over."
    return InUse(
        f"{by} This session drives run {run} no more, and has written nothing since.",
        f"Watch it: runbook watch {run}",
        held,
    )
