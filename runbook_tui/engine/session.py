"""Starting, resuming and rolling back runs: what the command line and the screens call.

A `Session` is one run that this process drives: it holds the run's locks until `close`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runbook_tui import exits
from runbook_tui.definition import loader, planning
from runbook_tui.definition.loader import Loaded
from runbook_tui.definition.plan import Plan, PlanStep
from runbook_tui.definition.problems import UsageProblem
from runbook_tui.engine import clock, environments_in_use, faults, outline, repository, run_ids
from runbook_tui.engine.acts import Acts
from runbook_tui.engine.attempts import Attempts
from runbook_tui.engine.driver import Driver, Parting
from runbook_tui.engine.ports import Operator, SecretReader, WorkerPool
from runbook_tui.engine.recorder import Author, Recorder
from runbook_tui.engine.repository import Checkout
from runbook_tui.engine.rollbacks import Rollbacks
from runbook_tui.engine.values import SecretBox, Values
from state import fold
from state.errors import RunExists
from state.events import Record, RunResumed
from state.protocols import Journal
from state.run_state import RunState
from state.status import RunStatus
from state.stores.locks import Lock

Publish = Callable[[RunState, Sequence[Record]], None]
_IDS: Final = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where and as whom this process drives. `state` is the state directory."""

    state: Path
    journal: Journal
    pool: WorkerPool
    read_secret: SecretReader
    operator: str
    host: str = field(default_factory=lambda: socket.gethostname().partition(".")[0])


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
) -> Prepared:
    """Read a runbook and make it ready. `directory` is where the run is called (default: here).

    Raises DefinitionError with all problems of the files, UsageProblem for what it is asked to do.
    """
    loaded = loader.load(path)
    plan = planning.make_plan(loaded, environment, parameters)
    check_runnable(plan)
    return Prepared(loaded, plan, repository.find(directory or Path.cwd()))


def check_runnable(plan: Plan) -> None:
    """Raise UsageProblem for what this program, or this place, cannot run."""
    beyond = next((step for step in plan.steps() if step.beyond is not None), None)
    if beyond is not None:
        raise UsageProblem(
            f"{beyond.name} needs {beyond.beyond}, which this version cannot run",
            "Rewrite the step, or use a later version",
        )
    fault = faults.wanted()
    protected = [one.name for one in plan.environments.values() if one.protected]
    if fault is not None and protected:
        raise UsageProblem(
            f"{faults.VARIABLE} is set, and {protected[0]} is protected: no faults there",
            f"Unset {faults.VARIABLE}",
        )


def start(prepared: Prepared, place: Place) -> Session:
    """Begin a run: take its locks, journal its start. Raises InUse, StoreError."""
    return _begun(prepared.plan, prepared.checkout, place)


def _begun(plan: Plan, checkout: Checkout, place: Place) -> Session:
    started = outline.started(plan, checkout)
    for _ in range(_IDS):
        run = run_ids.fresh(datetime.now(UTC))
        if place.journal.head(run) is not None:
            continue
        taken = environments_in_use.take(
            place.state, place.journal, run, started.locks, place.operator, 0
        )
        try:
            author = _author(place, taken)
            place.journal.create_run(
                run,
                started,
                operator=author.operator,
                host=author.host,
                token=author.token,
                sources=plan.sources,
            )
        except RunExists:
            environments_in_use.release(taken)
        except BaseException:
            environments_in_use.release(taken)
            raise
        else:
            return Session(place, run, plan, taken)
    raise UsageProblem("No free run id was found", "Try again")


def resume(run: str, place: Place, parameters: Mapping[str, str] | None = None) -> Session:
    """Take a run up again, with the definition it began with. `parameters`: secret ones only.

    Raises UsageProblem for an unknown run or one that is over, InUse, StoreError.
    """
    state = read_state(place, run)
    while state.rollback_by is not None and place.journal.head(state.rollback_by) is not None:
        state = read_state(place, state.rollback_by)
    if state.final and state.rollback_by is None:
        raise UsageProblem(f"The run {state.run} is over: {state.status.value}", "See runbook runs")
    plan = plan_of(place, state, parameters or {})
    check_runnable(plan)
    taken = environments_in_use.take(
        place.state, place.journal, state.run, state.started.locks, place.operator, state.token
    )
    session = Session(place, state.run, plan, taken)
    try:
        session.take_up(changed_since(state))
    except BaseException:
        session.close()
        raise
    return session


def read_state(place: Place, run: str) -> RunState:
    """Return a run's recorded state. Raises UsageProblem when there is none."""
    records = place.journal.read(run)
    if not records:
        raise UsageProblem(f"There is no run {run}", "See runbook runs")
    return fold.fold(records)


def plan_of(place: Place, state: RunState, secrets: Mapping[str, str]) -> Plan:
    """Return the plan of a run from the bytes it began with. Raises UsageProblem."""
    sources = place.journal.sources(state.run)
    loaded = loader.load_sources(state.started.file, sources)
    known = {
        name: text
        for name, text in state.started.parameters.items()
        if not loaded.runbook.parameters[name].secret
    }
    return planning.make_plan(loaded, state.started.environment or None, {**known, **secrets})


def changed_since(state: RunState) -> tuple[str, ...]:
    """Return what differs in the files now from what the run began with: their names."""
    folder = Path(state.started.file).parent
    changed = []
    for name, digest in state.started.definition.items():
        try:
            now = outline.hashes({name: (folder / name).read_bytes()})[name]
        except OSError:
            now = ""
        if now != digest:
            changed.append(name)
    return tuple(changed)


def _author(place: Place, taken: Sequence[Lock]) -> Author:
    return Author(place.operator, place.host, max(lock.token for lock in taken))


class Session:
    """One run that this process drives. Use as a context manager, or `close` it."""

    def __init__(self, place: Place, run: str, plan: Plan, taken: Sequence[Lock]) -> None:
        self.place = place
        self.run = run
        self.plan = plan
        self._taken = list(taken)
        self._secrets = SecretBox(place.read_secret)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the locks go."""
        environments_in_use.release(self._taken)
        self._taken = []

    def take_up(self, changed: tuple[str, ...]) -> None:
        """Journal that the run is driven again."""
        recorder = self._recorder(lambda state, records: None)
        away = clock.seconds_since(recorder.state.at)
        recorder.record(RunResumed(away, recorder.state.started.program, changed))

    def drive(self, operator: Operator) -> int:
        """Drive the run to an end or a parting; return the exit code. Raises StoreError."""
        recorder = self._recorder(operator.publish)
        operator.publish(recorder.state, ())
        parting = self._driver(recorder, operator).drive()
        return exit_code(recorder.state, parting)

    def _recorder(self, publish: Publish) -> Recorder:
        author = _author(self.place, self._taken)
        return Recorder.of_run(self.place.journal, self.run, author, publish)

    def _driver(self, recorder: Recorder, operator: Operator) -> Driver:
        def values(step: PlanStep) -> Values:
            environment = self.plan.environments[step.environment]
            return Values(
                self.plan, recorder.state, environment, self._secrets, self.place.operator
            )

        attempts = Attempts(self.plan, recorder, self.place.pool, values, self.place.state)
        rollbacks = Rollbacks(self.plan, self.place.journal.runs, None)
        return Driver(self.plan, recorder, attempts, operator, Acts(self.plan, values, rollbacks))


def exit_code(state: RunState, parting: Parting) -> int:
    """Return the program's exit code for how a run stands and was parted from."""
    if state.status is RunStatus.SUCCEEDED:
        return exits.DONE
    if state.status is RunStatus.ABORTED:
        return exits.ABORTED
    if state.status is RunStatus.ROLLED_BACK:
        return exits.ROLLED_BACK
    if parting.signal:
        return exits.INTERRUPTED
    return exits.FAILED if state.status is RunStatus.FAILED else exits.WAITS
