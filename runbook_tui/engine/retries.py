"""When a failed step is tried again by itself, and after how long. Pure.

A retry needs certainty that the failed try left nothing behind: a probe said absent, the action
knows that it had no effect, or the author names a cause that the action promises to be harmless.
`run` and `ssh` without `verify` never retry by themselves.
"""

from __future__ import annotations

from runbook_tui.actions import registry
from runbook_tui.definition.plan import PlanStep
from state.run_state import AttemptState, RunState, StepState
from state.status import AttemptStatus

AGAIN = frozenset({"retry", "continue", "yes"})
"""Decisions of a person after which the count of retries begins anew."""


def delay(step: PlanStep, stands: StepState, state: RunState) -> float | None:
    """Return the seconds until the next try by itself, or None when there is none."""
    rule, last = step.retries, stands.last
    if rule is None or last is None or last.undo or last.status is not AttemptStatus.FAILED:
        return None
    if not harmless(step, last):
        return None
    used = tries(stands, _decided_after(step.id, state)) - 1
    return None if used >= rule.times else float(rule.delay * rule.backoff**used)


def harmless(step: PlanStep, attempt: AttemptState) -> bool:
    """Tell whether a failed attempt surely left nothing that a second one would do twice."""
    spec = registry.spec(step.action)
    on = step.retries.on if step.retries else ()
    if on and attempt.cause not in on:
        return False
    if attempt.reads:
        return True
    if spec.proof == "none" and step.verify is None:
        return False
    return attempt.effect == "none" or (bool(on) and attempt.effect != "done")


def tries(stands: StepState, after: int) -> int:
    """Count the attempts that really tried, behind number `after`."""
    return sum(
        attempt.number > after
        and not attempt.undo
        and attempt.status is not AttemptStatus.VOID
        and attempt.cause not in CUT_SHORT
        for attempt in stands.attempts
    )


INTERRUPTED = "interrupted"
"""The cause of an attempt whose worker died; it is no try that failed."""

ELSEWHERE = "elsewhere"
"""The cause of an attempt whose machine was declared dead."""

GONE = "gone"
"""The cause of an attempt whose directory is gone: who lives of it cannot be known for sure."""

CUT_SHORT = frozenset({INTERRUPTED, ELSEWHERE, GONE})


def _decided_after(step: str, state: RunState) -> int:
    """Return how many attempts there were when a person last had it tried; times may jump back."""
    counts = [
        answer.tries
        for answer in state.answered.values()
        if answer.question.step == step and answer.choice in AGAIN
    ]
    return max(counts, default=0)
