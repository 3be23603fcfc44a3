"""Attempts at steps, from the first look to the journaled outcome.

Intend (fsync), start a worker, wait for its result or its death; `outcomes` makes of it what is
journaled. `take_up` does the same for what an earlier driver left behind.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from runbook_tui.actions import registry
from runbook_tui.definition.plan import PlanStep
from runbook_tui.engine import (
    attempt_events,
    elsewhere,
    faults,
    jobs,
    judging,
    looks,
    recovery,
    verifying,
)
from runbook_tui.engine.claiming import Claiming
from runbook_tui.engine.flows import (
    Beginning,
    Elsewhere,
    Flow,
    Judging,
    Running,
    Verifying,
    all_seen,
)
from runbook_tui.engine.outcomes import Outcomes, ValuesOf
from runbook_tui.engine.plans import LivePlan
from runbook_tui.engine.ports import Order, WorkerPool, WorkerStartError
from runbook_tui.engine.recorder import Recorder
from state.errors import StoreError
from state.events import (
    AttemptVoided,
    NoteAdded,
    QuestionWithdrawn,
    StepJudged,
    StopAsked,
)
from state.run_state import Answered, AttemptState
from state.status import AttemptStatus, StepStatus, Verdict
from state.stores.attempt_dir import AttemptDir
from state.stores.machine import boot_id
from state.stores.result import Result

FIRM: Final = 30.0
"""Seconds after a time-out, which the worker keeps itself, until the driver stops it too."""

LOOK_EVERY: Final = 0.1
"""Seconds between two looks at whether a worker lives (its result is looked for at every turn)."""

FETCH_EVERY: Final = 0.5
"""Seconds between looks at what another machine shared of its attempt."""


class Attempts:
    """The flows of one run. Not thread-safe: the driver's alone."""

    def __init__(
        self,
        live: LivePlan,
        recorder: Recorder,
        pool: WorkerPool,
        values: ValuesOf,
        root: Path,
        fetch: Callable[[str], None],
        begun_here: Callable[[AttemptState], bool],
        claiming: Claiming,
    ) -> None:
        """`fetch` brings here what another machine shared of an attempt: output and result."""
        self._live = live
        self._recorder = recorder
        self._pool = pool
        self._values = values
        self._root = root
        self._fetch = fetch
        self._begun_here = begun_here
        self._claiming = claiming
        self._flows: dict[str, Flow] = {}
        self._outcomes = Outcomes(live, recorder, pool, values, root, self._flows)

    def busy(self) -> frozenset[str]:
        """Return the steps that are looked at without an open attempt."""
        return frozenset(
            id_ for id_, flow in self._flows.items() if isinstance(flow, Beginning | Verifying)
        )

    def live(self) -> bool:
        """Whether anything is going on here."""
        return len(self._flows) > len(self.elsewhere())

    def elsewhere(self) -> frozenset[str]:
        """Return the steps whose open attempt another machine began."""
        return frozenset(id_ for id_, flow in self._flows.items() if isinstance(flow, Elsewhere))

    # Beginning

    def begin(self, step: PlanStep, *, undo: bool = False) -> None:
        """Begin an attempt, or fail the step with a sentence when a value is missing."""
        attempt = attempt_events.prospect(self._recorder.state, step, undo=undo)
        directory = self._root / attempt.directory
        values = self._values(step, undo)
        if attempt.number > 1:
            values.secrets.read_anew(values.environment)
        try:
            order = jobs.order(
                jobs.act_of(step, undo=undo),
                values,
                directory,
                attempt,
                self._root,
            )
        except jobs.NotReadyError as problem:
            self._recorder.record(
                StepJudged(step.id, StepStatus.FAILED.value, reason=problem.sentence)
            )
            return
        spec = registry.spec(order.job.action)
        attempt = replace(attempt, reads=not spec.changes_with(order.job.options))
        flow = Beginning(step, order, attempt, [])
        last = self._recorder.state.steps[step.id].last
        if last is not None and last.verdict == Verdict.RUNNING:
            flow.again = True
            flow.looks = self._outcomes.look(
                step, judging.all_looks(self._outcomes.subject(step, last)), last
            )
        elif self._needs_before(step, attempt):
            flow.looks = self._outcomes.look(step, ("verify",), attempt)
        if flow.looks:
            self._flows[step.id] = flow
        else:
            self._intend(flow, None)

    def _needs_before(self, step: PlanStep, attempt: AttemptState) -> bool:
        """Tell whether only a look from before can tell ours from what was there already."""
        tried = any(
            one.status is not AttemptStatus.VOID
            for one in self._recorder.state.steps[step.id].attempts
        )
        marked = registry.spec(step.action).proof != "none"
        return not (tried or marked or attempt.undo or attempt.reads) and step.verify is not None

    def _intend(self, flow: Beginning, before: str | None) -> None:
        step, attempt = flow.step, flow.attempt
        attempt = replace(attempt, before=before or attempt.before)
        order = replace(flow.order, job=replace(flow.order.job, before=attempt.before))
        directory = AttemptDir(self._root / attempt.directory)
        faults.reach("driver.before-intent", step.id)
        try:
            _create_anew(directory)
        except OSError as problem:
            self._flows.pop(step.id, None)
            reason = (
                f"{step.name} cannot begin: {directory.path} cannot be made: {problem.strerror}."
            )
            self._recorder.record(StepJudged(step.id, StepStatus.FAILED.value, reason=reason))
            return
        self._recorder.record(attempt_events.intent(step, attempt))
        faults.reach("driver.after-intent", step.id)
        self._flows[step.id] = self._running(step, attempt, directory)
        self._start(step, attempt, order)
        faults.reach("driver.after-spawn", step.id)

    def _start(self, step: PlanStep, attempt: AttemptState, order: Order) -> None:
        turn = self._claiming.begin(attempt)
        if not turn.ours:
            return  # declared void elsewhere: nothing begins, and it is found void here too
        try:
            self._pool.start(replace(order, fault=faults.wanted(), begin_by=turn.begin_by))
        except WorkerStartError as problem:
            self._outcomes.end(step, attempt_events.not_started(step, attempt, problem.sentence))

    def _running(self, step: PlanStep, attempt: AttemptState, directory: AttemptDir) -> Running:
        now = time.monotonic()
        firm = None if step.timeout is None else now + step.timeout + FIRM
        return Running(step, attempt, directory, now + looks.PATIENCE, firm)

    # What an earlier driver left

    def take_up(self) -> None:
        """Find out, by evidence, what became of each attempt without an outcome."""
        for stands, attempt in self._recorder.state.open_attempts():
            self._place(self._live.steps[stands.id], attempt)

    def _place(self, step: PlanStep, attempt: AttemptState) -> None:
        """Put an attempt where the resume table says (see `recovery`)."""
        directory = AttemptDir(self._root / attempt.directory)
        # Whether it lives comes first: a result that a worker left as it went is seen after it.
        alive = attempt.boot == boot_id() and directory.live().alive
        claim = directory.claimed()
        result = directory.read_result()
        found = recovery.Found(
            begun_here=self._begun_here(attempt),
            directory=directory.exists(),
            claim=claim,
            alive=alive,
            result=attempt_events.readable(result),
            reads=attempt.reads,
        )
        row = recovery.row(found)
        if row is recovery.Row.ELSEWHERE:
            self._flows[step.id] = Elsewhere(step, directory)
            return
        self._settle_where(step)
        if row is recovery.Row.ADOPT and isinstance(result, Result):
            self._outcomes.judge(step, attempt, result)
        elif row is recovery.Row.ATTACH:
            self._flows[step.id] = self._running(step, attempt, directory)
            if attempt.stop_reason is not None:
                self._stop(step, attempt, attempt.stop_reason)
        elif row is recovery.Row.VOID:
            self._void(step, attempt, directory)
        else:
            gone = not found.directory and result is None
            stands_for = attempt_events.stand_in(attempt, result, gone=gone)
            self._outcomes.judge(step, attempt, stands_for)

    def _void(self, step: PlanStep, attempt: AttemptState, directory: AttemptDir) -> None:
        if directory.claimed() is None and not directory.claim_void():
            self._flows[step.id] = self._running(step, attempt, directory)
            return
        reason = "its worker had not begun, and cannot begin any more"
        if attempt.stop_reason is not None:
            stopped = Result("stopped", reason=f"Stopped before it began: {attempt.stop_reason}")
            self._outcomes.judge(step, attempt, replace(stopped, effect="none"))
            return
        self._flows.pop(step.id, None)
        self._recorder.record(AttemptVoided(step.id, attempt.number, reason))

    # What comes

    def poll(self) -> bool:
        """Advance every flow; tell whether any moved."""
        before = self._recorder.state.seq
        for flow in list(self._flows.values()):
            if isinstance(flow, Running):
                self._poll_running(flow)
            elif isinstance(flow, Judging):
                self._outcomes.poll_judging(flow)
            elif isinstance(flow, Beginning):
                self._poll_beginning(flow)
            elif isinstance(flow, Elsewhere):
                self._poll_elsewhere(flow)
            else:
                self._outcomes.poll_verifying(flow)
        return self._recorder.state.seq != before

    def _poll_beginning(self, flow: Beginning) -> None:
        seen = all_seen(flow.looks, self._pool)
        if seen is None:
            return
        if not flow.again:
            self._intend(flow, judging.worst(seen).value)
        elif judging.worst(seen) is not Verdict.RUNNING:
            self._intend(flow, None)
        else:
            del self._flows[flow.step.id]
            self._recorder.record(
                verifying.runs_on(self._live.now, flow.step, self._recorder.state, seen)
            )

    def _poll_running(self, flow: Running) -> None:
        result = flow.directory.read_result()
        now = time.monotonic()
        if isinstance(result, Result):
            self._outcomes.judge(
                flow.step, self._attempt(flow), attempt_events.in_time(result, overdue=flow.overdue)
            )
        elif now >= flow.look_at:
            flow.look_at = now + LOOK_EVERY
            self._check_life(flow, now)

    def _check_life(self, flow: Running, now: float) -> None:
        if flow.firm_by is not None and now > flow.firm_by and not flow.overdue:
            flow.overdue = True
            self._stop(flow.step, flow.attempt, "its time is over")
        if flow.directory.live().alive:
            return
        if flow.directory.claimed() is None and now <= flow.begins_by:
            return
        self._place(flow.step, self._attempt(flow))

    def _poll_elsewhere(self, flow: Elsewhere) -> None:
        """Take the result as soon as it is there: in the shared journal, or on shared storage."""
        now = time.monotonic()
        attempt = self._recorder.state.steps[flow.step.id].open_attempt
        if attempt is None or now < flow.look_at:
            return
        flow.look_at = now + FETCH_EVERY
        with suppress(StoreError):  # what is away now is asked again
            self._fetch(attempt.directory)
        if isinstance(flow.directory.read_result(), Result):
            self._place(flow.step, attempt)

    def _settle_where(self, step: PlanStep) -> None:
        """Withdraw the question whether the attempt's machine is dead: it is answered by itself."""
        question = self._recorder.state.question_on(step.id)
        if question is not None and question.asks == elsewhere.ASKS:
            self._recorder.record(QuestionWithdrawn(question.id, "its outcome can be seen now"))

    def declare_dead(self, step: PlanStep, answer: Answered) -> None:
        """Look what an attempt did whose machine is dead, a person says."""
        attempt = self._recorder.state.steps[step.id].open_attempt
        if attempt is None:
            return
        directory = AttemptDir(self._root / attempt.directory)
        if directory.exists():
            # Should the storage be shared and the worker still to come: it then leaves.
            directory.claim_void()
        wait = self._claiming.void(attempt)
        self._outcomes.judge(step, attempt, elsewhere.died(attempt, answer), wait)

    def _attempt(self, flow: Running) -> AttemptState:
        """Return the attempt as recorded now: a stop may have been asked for since."""
        return self._recorder.state.steps[flow.step.id].open_attempt or flow.attempt

    def verify(self, step: PlanStep, answer: Answered) -> None:
        """Look because a person says that the step is done."""
        self._outcomes.verify(step, answer)

    def stop(self, step: PlanStep, reason: str) -> None:
        """Ask for the stop of a running attempt; does nothing when none runs."""
        attempt = self._recorder.state.steps[step.id].open_attempt
        if attempt is None:
            return
        if attempt.stop_reason is None:
            self._recorder.record(StopAsked(step.id, attempt.number, reason))
        flow = self._flows.get(step.id)
        if isinstance(flow, Judging):
            self._stop_judging(flow, attempt, reason)
        elif isinstance(flow, Elsewhere):
            self._recorder.record(NoteAdded(elsewhere.cannot_stop(attempt), step.id))
        else:
            self._stop(step, attempt, reason)

    def _stop_judging(self, flow: Judging, attempt: AttemptState, reason: str) -> None:
        """Have the looks stop what goes on elsewhere, if they can; a second time, give it up."""
        directory = AttemptDir(self._root / attempt.directory)
        if attempt.stop_reason is None and flow.subject.records and directory.exists():
            directory.ask_stop(reason)
            flow.result = attempt_events.stand_in(replace(attempt, stop_reason=reason), None)
        else:
            flow.give_up = True

    def _stop(self, step: PlanStep, attempt: AttemptState, reason: str) -> None:
        try:
            self._pool.stop(str(self._root / attempt.directory), reason)
        except WorkerStartError as problem:
            self._recorder.record(NoteAdded(problem.sentence, step.id))


def _create_anew(directory: AttemptDir) -> None:
    """Make the directory; one that is there without an intent was left by a driver that died."""
    try:
        directory.create()
    except FileExistsError:
        shutil.rmtree(directory.path)
        directory.create()
    directory.sync()
