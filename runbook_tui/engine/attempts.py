"""Attempts at steps, from the first look to the journaled outcome.

`beginning` intends and starts a worker; here its result or its death is awaited; `outcomes` makes
of it what is journaled. `take_up` does the same for what an earlier driver left behind.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from runbook_tui.definition.plan import PlanStep
from runbook_tui.engine import attempt_events, elsewhere, recovery
from runbook_tui.engine.beginning import Beginnings
from runbook_tui.engine.claiming import Claiming
from runbook_tui.engine.flows import (
    Beginning,
    Elsewhere,
    Flow,
    Judging,
    Running,
    Verifying,
    running,
)
from runbook_tui.engine.outcomes import Outcomes, ValuesOf
from runbook_tui.engine.plans import LivePlan
from runbook_tui.engine.ports import WorkerPool, WorkerStartError
from runbook_tui.engine.recorder import Recorder
from state.errors import StoreError
from state.events import AttemptVoided, NoteAdded, QuestionWithdrawn, StopAsked
from state.run_state import Answered, AttemptState
from state.stores.attempt_dir import AttemptDir
from state.stores.machine import boot_id
from state.stores.result import Result

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
        self._root = root
        self._fetch = fetch
        self._begun_here = begun_here
        self._claiming = claiming
        self._flows: dict[str, Flow] = {}
        self._outcomes = Outcomes(live, recorder, pool, values, root, self._flows)
        self._beginnings = Beginnings(
            live, recorder, pool, values, root, claiming, self._flows, self._outcomes
        )

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

    def begin(self, step: PlanStep, *, undo: bool = False) -> None:
        """Begin an attempt, or fail the step with a sentence when a value is missing."""
        self._beginnings.begin(step, undo=undo)

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
            self._flows[step.id] = running(step, attempt, directory)
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
            self._flows[step.id] = running(step, attempt, directory)
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
                self._beginnings.poll(flow)
            elif isinstance(flow, Elsewhere):
                self._poll_elsewhere(flow)
            else:
                self._outcomes.poll_verifying(flow)
        return self._recorder.state.seq != before

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
