"""An attempt before it begins, and what it comes to when no worker's result decides."""

from __future__ import annotations

from dataclasses import replace

from runbook_tui.actions import registry
from runbook_tui.definition.plan import PlanStep
from runbook_tui.engine import judging
from runbook_tui.engine.judging import TIMEOUT
from runbook_tui.engine.retries import GONE
from state.events import AttemptEnded, AttemptIntended
from state.run_state import AttemptState, RunState
from state.status import AttemptStatus
from state.stores.machine import boot_id, machine_id
from state.stores.paths import attempt_directory
from state.stores.result import Corrupt, Result


def prospect(state: RunState, step: PlanStep, *, undo: bool) -> AttemptState:
    """Return the next attempt at a step, or at undoing it, as it would be intended."""
    stands = state.steps[step.id]
    number = len(stands.attempts) + 1
    action = step.undo.action if undo and step.undo else step.action
    return AttemptState(
        number=number,
        action=action,
        directory=attempt_directory(state.run, step.id, number),
        machine=machine_id(),
        boot=boot_id(),
        started_at="",
        undo=undo,
        before=next((one.before for one in stands.attempts if one.before is not None), None),
        carries=registry.spec(action).carries(state.run, step.id, state.started.commit),
    )


def intent(step: PlanStep, attempt: AttemptState) -> AttemptIntended:
    """Return the intent of an attempt."""
    return AttemptIntended(
        step=step.id,
        number=attempt.number,
        action=attempt.action,
        directory=attempt.directory,
        machine=attempt.machine,
        boot=attempt.boot,
        before=attempt.before,
        carries=attempt.carries,
        reads=attempt.reads,
        undo=attempt.undo,
    )


def readable(result: Result | Corrupt | None) -> str:
    """Return the word for a result that `recovery` knows: none, valid or corrupt."""
    if result is None:
        return "none"
    return "valid" if isinstance(result, Result) else "corrupt"


def in_time(result: Result, *, overdue: bool) -> Result:
    """Return a result with its cause, when the driver stopped the attempt for its time."""
    return replace(result, cause=TIMEOUT) if overdue and result.status == "stopped" else result


def not_started(step: PlanStep, attempt: AttemptState, reason: str) -> AttemptEnded:
    """Return the outcome of an attempt for which no worker could be started: nothing has acted."""
    return AttemptEnded(
        step.id,
        attempt.number,
        AttemptStatus.FAILED.value,
        reason=reason,
        cause="worker",
        effect="none",
    )


def stand_in(
    attempt: AttemptState, result: Result | Corrupt | None, *, gone: bool = False
) -> Result:
    """Return what stands for the result of an attempt that left none; `gone`: no directory."""
    said = result.reason if isinstance(result, Corrupt) else "it left no result"
    died = judging.died(f"Its worker died: {said}.")
    if gone:
        reason = f"Its directory {attempt.directory} is gone, with all that its worker had left."
        died = replace(died, cause=GONE, reason=reason)
    if attempt.stop_reason is not None:
        return replace(died, status="stopped", cause=None, reason=f"Stopped: {attempt.stop_reason}")
    return died
