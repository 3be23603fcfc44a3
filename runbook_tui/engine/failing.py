"""What follows a step that failed or whose outcome nobody knows, before any person decided. Pure.

| how it stands                                        | what follows                         |
|------------------------------------------------------|--------------------------------------|
| outcome unknown, or undone by a person's decision    | ask                                  |
| stopped by somebody                                  | ask                                  |
| its worker died, and a look found no effect          | again, at most twice by itself       |
| its machine was declared dead                        | ask; again if it only reads          |
| its directory is gone                                | ask; again if it only reads          |
| its worker never began                               | again, at most twice by itself       |
| failed, a retry is left and harmless                 | retry                                |
| failed otherwise                                     | the author's `on_failure`            |
"""

from __future__ import annotations

from enum import Enum

from runbook_tui.definition.plan import PlanStep
from runbook_tui.engine import retries
from state.run_state import RunState, StepState
from state.status import AttemptStatus, StepStatus

RERUNS = 2
"""How often a step whose worker died without acting is begun again by itself."""


class Next(Enum):
    """What follows."""

    ASK = "ask"
    AGAIN = "again"
    """A new attempt, after the step's confirmation if it has one."""
    AGAIN_AT_ONCE = "again at once"
    """A new attempt without a confirmation: nothing has acted yet, or it only reads."""
    RETRY = "retry"
    SETTLED = "settled"
    ABORT = "abort"
    ROLLBACK = "rollback"


_POLICY = {
    "ask": Next.ASK,
    "continue": Next.SETTLED,
    "abort": Next.ABORT,
    "rollback": Next.ROLLBACK,
}


def after(step: PlanStep, stands: StepState, state: RunState) -> Next:
    """Return what follows a step that is failed, unknown or undone."""
    last = stands.last
    if stands.status is not StepStatus.FAILED:
        return Next.ASK
    if last is None or judged(stands):
        return _POLICY[step.on_failure]
    if last.undo or last.status is AttemptStatus.STOPPED:
        return Next.ASK
    if last.cause in (retries.ELSEWHERE, retries.GONE):
        return Next.AGAIN_AT_ONCE if last.reads else Next.ASK
    if last.status is AttemptStatus.VOID or last.cause == retries.INTERRUPTED:
        if deaths(stands) > RERUNS:
            return _POLICY[step.on_failure]
        at_once = last.status is AttemptStatus.VOID or last.reads
        return Next.AGAIN_AT_ONCE if at_once else Next.AGAIN
    if retries.delay(step, stands, state) is not None:
        return Next.RETRY
    return _POLICY[step.on_failure]


def judged(stands: StepState) -> bool:
    """Tell whether a rule failed the step after its last attempt, and not the attempt itself."""
    last = stands.last
    if stands.status is not StepStatus.FAILED or stands.ended_at is None:
        return False
    return last is None or last.ended_at != stands.ended_at


def deaths(stands: StepState) -> int:
    """Count the newest attempts in a row whose worker died without any effect."""
    count = 0
    for attempt in reversed(stands.attempts):
        if attempt.status is not AttemptStatus.VOID and attempt.cause != retries.INTERRUPTED:
            break
        count += 1
    return count
