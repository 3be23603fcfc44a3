"""Beginning an attempt: the first look, the intent (fsync), and only then a worker."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from runbook_tui.actions import registry
from runbook_tui.definition.plan import PlanStep
from runbook_tui.engine import attempt_events, faults, jobs, judging, verifying
from runbook_tui.engine.claiming import Claiming
from runbook_tui.engine.flows import Beginning, Flow, all_seen, running
from runbook_tui.engine.outcomes import Outcomes, ValuesOf
from runbook_tui.engine.plans import LivePlan
from runbook_tui.engine.ports import Order, WorkerPool, WorkerStartError
from runbook_tui.engine.recorder import Recorder
from state.events import StepJudged
from state.run_state import AttemptState
from state.status import AttemptStatus, StepStatus, Verdict
from state.stores.attempt_dir import AttemptDir


class Beginnings:
    """How steps begin. Not thread-safe: the driver's alone."""

    def __init__(
        self,
        live: LivePlan,
        recorder: Recorder,
        pool: WorkerPool,
        values: ValuesOf,
        root: Path,
        claiming: Claiming,
        flows: dict[str, Flow],
        outcomes: Outcomes,
    ) -> None:
        """`flows` is shared with whoever advances them."""
        self._live = live
        self._recorder = recorder
        self._pool = pool
        self._values = values
        self._root = root
        self._claiming = claiming
        self._flows = flows
        self._outcomes = outcomes

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
        self._flows[step.id] = running(step, attempt, directory)
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

    def poll(self, flow: Beginning) -> None:
        """Intend as soon as the looks are over, unless one of them found it at work still."""
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


def _create_anew(directory: AttemptDir) -> None:
    """Make the directory; one that is there without an intent was left by a driver that died."""
    try:
        directory.create()
    except FileExistsError:
        shutil.rmtree(directory.path)
        directory.create()
    directory.sync()
