"""Starting, resuming and rolling back runs: what the command line and the screens call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import runbook_tui
from runbook_tui.definition import loader, planning
from runbook_tui.definition import rollback as rollback_steps
from runbook_tui.definition.loader import Loaded
from runbook_tui.definition.plan import Plan
from runbook_tui.definition.problems import UsageProblem
from runbook_tui.definition.rollback import RollbackPlan
from runbook_tui.engine import (
    approvals,
    drift,
    environments_in_use,
    faults,
    outline,
    plans,
    repository,
    rollbacks,
    run_ids,
)
from runbook_tui.engine.drift import Drift
from runbook_tui.engine.driving import Place, Session, mark_rolled_back
from runbook_tui.engine.ports import RollBack
from runbook_tui.engine.repository import Checkout
from state import fold
from state.audit import chain_faults
from state.errors import ImportedRun, RunExists, StoreCorrupt
from state.events import Payload, RollbackBegun
from state.run_state import RunState
from state.status import RunStatus

_IDS: Final = 20
Change = Literal["keep", "ask", "adopt"]
_ENDED: Final = (RunStatus.SUCCEEDED, RunStatus.ABORTED, RunStatus.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A runbook that is ready to be started."""

    loaded: Loaded
    plan: Plan
    checkout: Checkout


def prepare(
    path: Path,
    environment: str | None,
    parameters: Mapping[str, str],
    *,
    directory: Path | None = None,
    complete: bool = True,
) -> Prepared:
    """Read a runbook and make it ready. `directory` is where the run is called (default: here);
    when not `complete`, parameters may be missing, and what needs them stays unknown.

    Raises DefinitionError with all problems of the files, UsageProblem for what it is asked to do.
    """
    loaded = loader.load(path)
    plan = planning.make_plan(loaded, environment, parameters, complete=complete)
    check_runnable(plan)
    return Prepared(loaded, plan, repository.find(directory or Path.cwd()))


def check_runnable(plan: Plan) -> None:
    """Raise UsageProblem for what this program, or this place, cannot run."""
    protected = [one.name for one in plan.environments.values() if one.protected]
    if faults.wanted() is not None and protected:
        raise UsageProblem(
            f"{faults.VARIABLE} is set, and {protected[0]} is protected: no faults there",
            f"Unset {faults.VARIABLE}",
        )


def check_adoptable(found: Drift, place: Place) -> None:
    """Raise UsageProblem when a change cannot be adopted."""
    if found.plan is None:
        raise UsageProblem(
            f"The change cannot be adopted: {found.refused}",
            "Go on with what the run began with: leave --adopt-changes out",
        )
    check_runnable(found.plan)
    check_approvals(found.plan, place)


def check_approvals(plan: Plan, place: Place) -> None:
    """Raise UsageProblem when a step wants an approval that this store cannot vouch for."""
    problem = approvals.cannot(plan, place.store.identities)
    if problem is not None:
        raise UsageProblem(problem, approvals.MEND)


def start(prepared: Prepared, place: Place) -> Session:
    """Begin a run: take its locks, journal its start. Raises InUse, StoreError."""
    check_approvals(prepared.plan, place)
    started = outline.started(prepared.plan, prepared.checkout)
    for _ in range(_IDS):
        run = run_ids.fresh(datetime.now(UTC))
        if place.journal.head(run) is not None:
            continue
        session = _session(place, run, prepared.plan, 0)
        try:
            session.create(started)
        except RunExists:
            session.close()
        except BaseException:
            session.close()
            raise
        else:
            return session
    raise UsageProblem("No free run id was found", "Try again")


@dataclass(frozen=True, slots=True)
class Taking:
    """How a run is taken from another driver: what is journaled for it, and whether by force."""

    events: tuple[Payload, ...] = ()
    by_force: bool = False


def resume(
    run: str,
    place: Place,
    parameters: Mapping[str, str] | None = None,
    taking: Taking = Taking(),
    *,
    change: Change = "keep",
) -> Session:
    """Take a run up again, with the definition it goes by; of a run that is being rolled back,
    its linked run. `parameters` are the secret ones: they are not in the journal. `change` says
    what becomes of changed files: they are left alone, adopted, or the operator is asked.

    Raises UsageProblem for an unknown run or one that is over, InUse, StoreError.
    """
    state = to_go_on_with(place, run)
    return _taken_up(place, state, parameters or {}, taking, change)


def to_go_on_with(place: Place, run: str) -> RunState:
    """Return the run that a resume of `run` drives: itself, or its rollback's linked run.

    Raises UsageProblem for an unknown run or one that is over.
    """
    state = read_state(place, run, to_drive=True)
    # History is not gone on with, and what it says follows it may be anything.
    while state.rollback_by is not None and place.store.origin(state.run) is None:
        if place.journal.head(state.rollback_by) is None:
            break
        state = read_state(place, state.rollback_by, to_drive=True)
    if state.status in _ENDED and not _unfinished(place, state):
        raise UsageProblem(f"The run {state.run} is over: {state.status.value}", "See runbook runs")
    return state


def rollback(
    run: str, place: Place, parameters: Mapping[str, str] | None = None, reason: str = "asked for"
) -> Session:
    """Roll a run back by a linked run, which asks for its confirmation when it is driven.

    Raises UsageProblem for an unknown run or one that cannot be rolled back, InUse, StoreError.
    """
    state = read_state(place, run, to_drive=True)
    if state.base is not None or state.status is RunStatus.ROLLED_BACK:
        what = "is a rollback itself" if state.base is not None else "is rolled back already"
        raise UsageProblem(f"The run {run} {what}", "See runbook runs")
    if state.rollback_by is not None and _goes_on(place, state.rollback_by):
        return resume(run, place, parameters)
    session = _taken_up(place, state, parameters or {})
    try:
        if state.final:
            _refuse_nothing(rollbacks.make(session.plan, state), run)
            by = rollbacks.next_id(run, place.journal.runs())
            session.append(run, RollbackBegun(by, reason))
        else:
            session.begin_with(RollBack(reason))
    except BaseException:
        session.close()
        raise
    return session


def _refuse_nothing(made: RollbackPlan, run: str) -> None:
    """Raise UsageProblem where nothing would be taken back of what stays: it is no rollback."""
    stays = [*made.without_undo, *(step for step, _ in made.cannot)]
    if stays and not list(made.plan.steps()):
        names = ", ".join(step.name for step in stays[:3])
        raise UsageProblem(
            f"Nothing of the run {run} can be taken back: there is no way back for {names}",
            f"Take it back by hand, and note it: runbook note {run} TEXT",
        )


def read_state(place: Place, run: str, *, to_drive: bool = False) -> RunState:
    """Return a run's recorded state. Raises UsageProblem when there is none.

    `to_drive`: raises StoreCorrupt unless its record is as it was written. On one that is not
    nothing may rest: what it calls done may not be, and the other way round.
    """
    # The head first: somebody may be adding to what it vouches for.
    head = place.journal.head(run) if to_drive else None
    records = place.journal.read(run)
    if not records and head is None:
        raise UsageProblem(f"There is no run {run}", "See runbook runs")
    wrong = chain_faults(records[: head.count], head, run) if head is not None else []
    if wrong:
        raise StoreCorrupt(
            f"The record of run {run} is not intact, so it cannot be gone on with: {wrong[0].text}",
            f"See it: runbook audit {run}. Save what is proven: runbook audit --recover.",
        )
    return fold.fold(records)


def step_ids(place: Place, run: str, adopting: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the ids of all steps that a run, or a rollback of it, may ask about; with those of
    the changed files when these are to be adopted, given the secret parameters (`adopting`).

    Raises UsageProblem for an unknown run, StoreCorrupt for one that is not intact.
    """
    if adopting is not None:
        state = read_state(place, run, to_drive=True)
        found = changed_since(place, state, plan_of(place, state, adopting), adopting)
        if found is not None and found.plan is not None:
            return rollback_steps.step_ids(plans.of(found.plan, state))
    state = read_state(place, run, to_drive=True)
    return rollback_steps.step_ids(plan_of(place, state, {}, complete=False))


def plan_of(
    place: Place, state: RunState, secrets: Mapping[str, str], *, complete: bool = True
) -> Plan:
    """Return the plan of a run from the bytes it began with; of a linked run, made from its base.

    Raises UsageProblem when a secret parameter is missing, unless the plan is only looked at
    (not `complete`).
    """
    if state.base is not None:
        base = _when_begun(place, state.base, state.run)
        made = rollbacks.make(plan_of(place, base, secrets, complete=complete), base).plan
        return plans.of(made, state)
    return plans.of(_written(place, state, secrets, complete=complete), state)


def _written(
    place: Place, state: RunState, secrets: Mapping[str, str], *, complete: bool = True
) -> Plan:
    """Return the plan of a run that is no rollback, without the lists of its `each` groups."""
    sources = place.journal.sources(state.run)
    checked = state.started.program == runbook_tui.__version__
    first = drift.began_with(sources)
    loaded = loader.load_sources(state.started.file, first, checked=checked)
    known = {
        name: text
        for name, text in state.started.parameters.items()
        if not loaded.runbook.parameters[name].secret
    }
    environment = state.started.environment or None
    plan = planning.make_plan(loaded, environment, {**known, **secrets}, complete=complete)
    return drift.adopted(plan, state, sources, drift.Secrets(secrets, complete))


def _when_begun(place: Place, base: str, linked: str) -> RunState:
    """Return a run as it was when its rollback by `linked` began: what is undone now was not."""
    records = place.journal.read(base)
    for number, record in enumerate(records, 1):
        if record.kind == RollbackBegun.kind and record.data["by"] == linked:
            return fold.fold(records[:number])
    return fold.fold(records)


def changed_since(
    place: Place, state: RunState, plan: Plan, secrets: Mapping[str, str]
) -> Drift | None:
    """Return how the files differ now from what the run goes by; None when they do not."""
    # Mostly nothing has changed: then the plan need not be made a second time.
    if not drift.changed_files(state):
        return None
    written = plan if state.base is not None else _written(place, state, secrets)
    return drift.look(state, written, plan)


def _session(place: Place, run: str, plan: Plan, above: int, *, by_force: bool = False) -> Session:
    names = outline.locks(plan)
    taken = environments_in_use.take(
        place.store, run, names, place.operator, above, by_force=by_force
    )
    return Session(place, run, plan, taken)


def _taken_up(
    place: Place,
    state: RunState,
    parameters: Mapping[str, str],
    taking: Taking = Taking(),
    change: Change = "keep",
) -> Session:
    origin = place.store.origin(state.run)
    if origin is not None:
        known = ImportedRun(state.run, origin)
        raise UsageProblem(known.sentence, known.advice)
    plan = plan_of(place, state, parameters)
    check_runnable(plan)
    check_approvals(plan, place)
    session = _session(place, state.run, plan, state.token, by_force=taking.by_force)
    try:
        head = place.journal.head(state.run)
        if head is not None and head.count != state.seq:
            # Whoever drove it wrote on until we had the lease.
            state = read_state(place, state.run, to_drive=True)
            plan = session.plan = session.plans[state.run] = plan_of(place, state, parameters)
        if not state.final:
            found = changed_since(place, state, plan, parameters)
            if change == "adopt" and found is not None:
                check_adoptable(found, place)
            session.take_up(found, state, *taking.events, ask=change == "ask")
            if change == "adopt" and found is not None:
                session.adopt()
        elif state.status is RunStatus.SUCCEEDED:
            mark_rolled_back(session, state)
    except BaseException:
        session.close()
        raise
    return session


def _unfinished(place: Place, state: RunState) -> bool:
    """Whether something of a rollback is left: its run not begun, or its base not marked."""
    if state.rollback_by is not None:
        return place.journal.head(state.rollback_by) is None
    if state.base is None or state.status is not RunStatus.SUCCEEDED:
        return False
    return read_state(place, state.base).status is not RunStatus.ROLLED_BACK


def _goes_on(place: Place, linked: str) -> bool:
    """Whether a linked run was begun, or is to be begun, and has not ended."""
    if place.journal.head(linked) is None:
        return True
    return read_state(place, linked).status not in _ENDED
