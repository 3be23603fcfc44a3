"""One run driven by this process, and the linked run that it may hand over to.

A `Session` holds the locks of the run and of its environments until `close`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

import runbook_tui
from runbook_tui import exits
from runbook_tui.actions.api import Host
from runbook_tui.definition.plan import Plan, PlanStep
from runbook_tui.engine import (
    clock,
    drift,
    environments_in_use,
    outline,
    output_sharing,
    plans,
    rollbacks,
)
from runbook_tui.engine.acts import Acts
from runbook_tui.engine.attempts import Attempts
from runbook_tui.engine.claiming import Claiming
from runbook_tui.engine.drift import Drift
from runbook_tui.engine.driver import Driver, Parting
from runbook_tui.engine.patience import Patience
from runbook_tui.engine.people import People
from runbook_tui.engine.plans import LivePlan
from runbook_tui.engine.ports import Command, Operator, SecretReader, WorkerPool
from runbook_tui.engine.recorder import Author, Recorder
from runbook_tui.engine.repository import Checkout
from runbook_tui.engine.rollbacks import Rollbacks
from runbook_tui.engine.values import SecretBox, Values
from state import fold
from state.errors import Fenced, StoreUnusable
from state.events import (
    Payload,
    QuestionAnswered,
    QuestionAsked,
    QuestionWithdrawn,
    Record,
    RunResumed,
    RunStarted,
)
from state.protocols import Journal, Lease
from state.run_state import DRIFT, Answered, RunState
from state.status import RunStatus
from state.stores.store import Store

Publish = Callable[[RunState, Sequence[Record]], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where and as whom this process drives."""

    store: Store
    pool: WorkerPool
    read_secret: SecretReader
    operator: str
    host: str = field(default_factory=lambda: socket.gethostname().partition(".")[0])

    @property
    def state(self) -> Path:
        """The state directory, where attempts lie."""
        return self.store.directory

    @property
    def journal(self) -> Journal:
        """The journal of the store."""
        return self.store.journal


class Session:
    """One run that this process drives. Use as a context manager, or `close` it.

    `run` and `plan` become those of the linked run once a rollback begins; `plans` keeps all.
    """

    def __init__(self, place: Place, run: str, plan: Plan, taken: Sequence[Lease]) -> None:
        self.place = place
        self.run = run
        self.plan = plan
        self.plans = {run: plan}
        self._taken = list(taken)
        self._secrets = SecretBox(place.read_secret)
        self._first: list[Command] = []
        self._drift: Drift | None = None
        """How the run's files differed from what it goes by when it was taken up."""
        self._known: RunState | None = None
        """The run as last read: what is folded once need not be folded again."""
        self._news: list[Record] = []
        """Events of this session that no operator was told yet."""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the locks go."""
        environments_in_use.release(self._taken)
        self._taken = []

    def create(self, started: RunStarted) -> None:
        """Journal that the run begins. Raises RunExists, StoreError."""
        author = self._author()
        record = self.place.journal.create_run(
            self.run,
            started,
            operator=author.operator,
            host=author.host,
            token=author.token,
            sources=self.plan.sources,
        )
        self._news.append(record)

    def take_up(
        self,
        found: Drift | None,
        known: RunState | None = None,
        *more: Payload,
        ask: bool = False,
    ) -> None:
        """Journal that the run is driven again, and `more`; `known`: a state of it, read before.

        `found` is how its files differ now; with `ask` a person is to say which ones go on.
        """
        self._drift = found
        self._known = known
        recorder = self._recorder(lambda state, records: self._news.extend(records))
        away = clock.seconds_since(recorder.state.at)
        changed = found.changed if found is not None else ()
        refused = found.refused if found is not None else None
        recorder.record(RunResumed(away, runbook_tui.__version__, changed, refused), *more)
        for one in recorder.state.questions:
            if one.asks == DRIFT:
                recorder.record(QuestionWithdrawn(one.id, "the run was taken up again"))
        asked = drift.question(found, recorder.state) if ask and found is not None else None
        if asked is not None:
            recorder.record(asked)
        self._known = recorder.state

    def adopt(self) -> None:
        """Go on with the changed files where nothing has begun. Raises InUse, StoreError."""
        recorder = self._recorder(lambda state, records: self._news.extend(records))
        self._adopt(recorder)
        self._known = recorder.state

    def _adopt(self, recorder: Recorder) -> None:
        found, state = self._drift, recorder.state
        if found is None or found.plan is None:
            raise ValueError(f"the run {self.run} has nothing to adopt")
        held = {lock.name for lock in self._taken}
        names = [name for name in outline.locks(found.plan) if name not in held]
        self._taken += environments_in_use.take(
            self.place.store, self.run, names, self.place.operator, state.token, run_too=False
        )
        self.place.journal.keep(self.run, drift.to_keep(found.plan))
        recorder.record(drift.event(found, found.plan, state))
        self.plan = self.plans[self.run] = plans.of(found.plan, recorder.state)
        self._drift = None

    def begin_with(self, command: Command) -> None:
        """Have the driver obey a command before all else."""
        self._first.append(command)

    def append(self, run: str, *payloads: Payload) -> None:
        """Journal events of a run that is not being driven."""
        author = self._author()
        records = self.place.journal.append(
            run, payloads, operator=author.operator, host=author.host, token=author.token
        )
        if run == self.run:
            self._news += records

    def drive(self, operator: Operator) -> int:
        """Drive the run, and its rollback, to an end or a parting; return the exit code.

        Raises StoreError when the journal refuses: what it acknowledged is kept, workers go on;
        InUse when somebody else has taken the run over: nothing more is written here.
        """
        try:
            return self._drive(Patience(operator))
        except Fenced as problem:
            raise environments_in_use.lost(self.place.store, self.run) from problem
        except OSError as problem:
            if not str(problem.filename or "").startswith(str(self.place.state)):
                raise
            raise StoreUnusable(
                f"The state directory cannot be used: {problem.filename}: {problem.strerror}.",
                f"Mend it, then go on with: runbook resume {self.run}",
            ) from problem

    def _drive(self, operator: Patience) -> int:
        while True:
            recorder = self._recorder(operator.publish, operator)
            output_sharing.take_up(self.place.store, recorder.state)
            operator.publish(recorder.state, tuple(self._news))
            self._news.clear()
            parting = self._driver(recorder, operator).drive(self._first)
            self._first = []
            if parting.kind == "adopt":
                self._adopt(recorder)
                self._known = recorder.state
            elif parting.kind == "rollback":
                self._hand_over(recorder.state)
            else:
                return self._part(recorder.state, parting, operator)

    def _part(self, state: RunState, parting: Parting, operator: Operator) -> int:
        if state.base is None or state.status is not RunStatus.SUCCEEDED:
            return exit_code(state, parting)
        mark_rolled_back(self, state)
        base = fold.fold(self.place.journal.read(state.base))
        operator.publish(base, self.place.journal.read(state.base, base.seq - 1))
        return exits.ROLLED_BACK

    def _hand_over(self, base: RunState) -> None:
        """Go on with the linked run; it is begun here unless an earlier driver has begun it."""
        linked = base.rollback_by
        if linked is None:
            raise ValueError(f"the run {base.run} has no rollback")
        made = rollbacks.make(self.plan, base)
        held = {lock.name for lock in self._taken}
        names = [name for name in outline.locks(made.plan) if name not in held]
        self._taken += environments_in_use.take(
            self.place.store, linked, names, self.place.operator, base.token
        )
        self.run, self.plan = linked, made.plan
        self.plans[linked] = made.plan
        begun = self.place.journal.head(linked)
        if begun is None:
            checkout = Checkout(Path(base.started.cwd), base.started.commit, base.started.dirty)
            self.create(outline.started(made.plan, checkout, base.run))
        if begun is None or begun.count == 1:
            self._confirmed(base)

    def _confirmed(self, base: RunState) -> None:
        """Carry the confirmation over that was given in the base run, if it was asked there."""
        answers = [one for one in base.answered.values() if one.choice == "rollback"]
        given = next((one for one in answers if one.question.step is None), None)
        if given is not None:
            self.append(self.run, *_again(given))

    def _author(self) -> Author:
        token = max(lock.token for lock in self._taken)
        return Author(self.place.operator, self.place.host, token)

    def _recorder(self, publish: Publish, patience: Patience | None = None) -> Recorder:
        outputs = self.place.store.outputs

        def published(state: RunState, records: Sequence[Record]) -> None:
            output_sharing.follow(outputs, state, records)
            publish(state, records)

        return Recorder.of_run(
            self.place.journal, self.run, self._author(), published, self._known, patience
        )

    def _driver(self, recorder: Recorder, operator: Operator) -> Driver:
        base_run = recorder.state.base
        base = fold.fold(self.place.journal.read(base_run)) if base_run is not None else None
        plan = self.plan
        live = LivePlan(plan, lambda: recorder.state)

        def values(step: PlanStep, undo: bool) -> Values:
            return Values(
                plan=plan,
                state=recorder.state,
                environment=plan.environments[step.environment],
                secrets=self._secrets,
                operator=self.place.operator,
                host=Host(*astuple(step.host)) if step.host else None,
                item=step.item,
                instance=step.instance,
                undone=base if step.undoes is not None else recorder.state if undo else None,
            )

        store = self.place.store
        claiming = Claiming(store.claims, recorder)
        attempts = Attempts(
            live,
            recorder,
            self.place.pool,
            values,
            self.place.state,
            store.outputs.fetch,
            store.begun_here,
            claiming,
        )
        rolls_back = Rollbacks(plan, self.place.journal.runs)
        acts = Acts(live, values, rolls_back, store.identities.own())
        people = People(store, recorder, self._taken)
        return Driver(live, recorder, attempts, operator, acts, people)


def mark_rolled_back(session: Session, linked: RunState) -> None:
    """Journal in the base run that its linked run has ended well, unless that is done."""
    if linked.base is None:
        return
    base = fold.fold(session.place.journal.read(linked.base))
    if base.status is not RunStatus.ROLLED_BACK:
        session.append(base.run, rollbacks.rolled_back(session.plan, linked))


def _again(given: Answered) -> tuple[QuestionAsked, QuestionAnswered]:
    """Return a decision of the base run as the linked run's own."""
    asked = given.question
    return (
        QuestionAsked(
            "q1", None, "rollback", asked.text, ("rollback", "abort"), asked.typed, asked.shown
        ),
        QuestionAnswered("q1", "rollback", given.by, given.reason),
    )


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
    if parting.replaced:
        return exits.IN_USE
    return exits.FAILED if state.status is RunStatus.FAILED else exits.WAITS
