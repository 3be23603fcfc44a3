"""From what an attempt left to its journaled outcome: the looks that it needs, and the judgement.

A person's `verified` is judged here too. What still goes on for a worker that is gone is awaited.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from runbook_tui.actions import registry
from runbook_tui.actions.shared import secret_files
from runbook_tui.definition.plan import PlanStep
from runbook_tui.engine import attempt_events, faults, jobs, judging, look_orders, verifying
from runbook_tui.engine.flows import Flow, Judging, Verifying, all_seen
from runbook_tui.engine.judging import LookKind, Seen, Subject
from runbook_tui.engine.looks import Look
from runbook_tui.engine.plans import LivePlan
from runbook_tui.engine.ports import WorkerPool
from runbook_tui.engine.recorder import Recorder
from runbook_tui.engine.values import Values
from state.events import AttemptEnded, NoteAdded
from state.run_state import Answered, AttemptState
from state.status import Verdict
from state.stores import signals
from state.stores.attempt_dir import AttemptDir
from state.stores.result import Result

ValuesOf = Callable[[PlanStep, bool], Values]
"""The values that a step sees; True when it is to be taken back."""

LOOK_AGAIN: Final = 2.0
"""Seconds between looks at something that goes on without its worker."""


@dataclass(slots=True)
class Outcomes:
    """Judges the attempts of one run. `flows` are those of `Attempts`, which advances them."""

    live: LivePlan
    recorder: Recorder
    pool: WorkerPool
    values: ValuesOf
    root: Path
    flows: dict[str, Flow]

    def judge(
        self, step: PlanStep, attempt: AttemptState, result: Result, wait: float = 0.0
    ) -> None:
        """Look at what an attempt left, as far as its outcome depends on that; then judge it.

        It is looked in `wait` seconds, where its worker may yet begin.
        """
        subject = self.subject(step, attempt)
        flow = Judging(step, subject, result, [])
        self.flows[step.id] = flow
        if wait:
            flow.again_at = time.monotonic() + wait
            return
        flow.looks = self.look(step, judging.looks(subject, result), attempt)
        self.poll_judging(flow)

    def poll_judging(self, flow: Judging) -> None:
        """Judge the attempt once all looks are had; what still goes on is looked at again."""
        now = time.monotonic()
        if flow.again_at is not None and not flow.give_up:
            if now < flow.again_at:
                return
            attempt = self.recorder.state.steps[flow.step.id].attempts[-1]
            flow.again_at = None
            flow.looks = self.look(flow.step, judging.looks(flow.subject, flow.result), attempt)
        seen = all_seen(flow.looks, self.pool)
        if seen is None:
            return
        ended = judging.outcome(flow.subject, flow.result, seen)
        runs_on = ended.verdict == Verdict.RUNNING and flow.result.status != "succeeded"
        if runs_on and not flow.give_up:
            flow.again_at = now + LOOK_AGAIN
            self._tell_that_it_goes_on(flow, seen)
            return
        self.end(flow.step, ended)

    def _tell_that_it_goes_on(self, flow: Judging, seen: list[Seen]) -> None:
        """Note it once; what is at it stands for the progress of a worker that is gone."""
        said = judging.still_at_it(seen)
        last = self.recorder.state.steps[flow.step.id].attempts[-1]
        with suppress(OSError):  # where the directory is gone nothing can be said there
            signals.write_progress(
                AttemptDir(self.root / last.directory),
                f"Its worker is gone. {said}.",
                None,
            )
        if not flow.told:
            flow.told = True
            reason = (flow.result.reason or "").strip()
            text = f"{reason} {said}: its end is awaited.".strip()
            self.recorder.record(NoteAdded(text, flow.step.id))

    def end(self, step: PlanStep, ended: AttemptEnded) -> None:
        """Journal how an attempt ended; what its worker wrote of secrets goes, if that is left."""
        faults.reach("driver.before-outcome", step.id)
        attempt = self.recorder.state.steps[step.id].attempts[ended.number - 1]
        secret_files.sweep(self.root / attempt.directory)
        self.flows.pop(step.id, None)
        self.recorder.record(ended)
        faults.reach("driver.after-outcome", step.id)

    def subject(self, step: PlanStep, attempt: AttemptState) -> Subject:
        """Return what is judged."""
        act = jobs.act_of(step, undo=attempt.undo)
        spec = registry.spec(act.action)
        return Subject(
            step=step.id,
            number=attempt.number,
            reads=attempt.reads,
            probes=spec.probes_with(act.options),
            records=spec.records,
            verifies=step.verify is not None,
            undo=attempt.undo,
            ours=spec.proof != "none" or attempt.before != Verdict.PRESENT,
        )

    def look(
        self, step: PlanStep, kinds: tuple[LookKind, ...], attempt: AttemptState
    ) -> list[Look]:
        """Begin looks; one whose values are missing found out nothing."""
        values = self.values(step, attempt.undo)
        return [
            look_orders.begin(self.pool, self.root, step, kind, attempt, values) for kind in kinds
        ]

    def verify(self, step: PlanStep, answer: Answered) -> None:
        """Look because a person says that the step is done."""
        last = self.recorder.state.steps[step.id].last
        attempt = last or attempt_events.prospect(self.recorder.state, step, undo=False)
        attempt = replace(attempt, undo=False)
        kinds = judging.all_looks(self.subject(step, attempt))
        flow = Verifying(step, answer, self.look(step, kinds, attempt))
        self.flows[step.id] = flow
        self.poll_verifying(flow)

    def poll_verifying(self, flow: Verifying) -> None:
        """Record what the looks come to, or ask again."""
        seen = all_seen(flow.looks, self.pool)
        if seen is None:
            return
        del self.flows[flow.step.id]
        self.recorder.record(
            verifying.judge(self.live.now, flow.step, self.recorder.state, flow.answer, seen)
        )
