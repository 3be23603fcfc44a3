"""The next move of one step, whatever its neighbours do. Pure.

A move is a decision that the driver may carry out, or the reason why there is none (`Rest`).
"""

from __future__ import annotations

from enum import Enum

from runbook_tui.definition.plan import INCLUDE, PlanStep
from runbook_tui.engine import approvals, elsewhere, failing, manuals, retries
from runbook_tui.engine.decisions import (
    Approve,
    AskConfirm,
    AskElsewhere,
    AskFailure,
    AskManual,
    Begin,
    BeginWait,
    Decision,
    DeclareDead,
    EndWait,
    EvaluateWhen,
    Fail,
    FixList,
    Judge,
    PlanRetry,
    RecordManual,
    Skip,
    Verify,
    Withdraw,
)
from runbook_tui.engine.facts import Facts
from state.run_state import Answered, Question, RunState, StepState
from state.status import AttemptStatus, StepStatus


class Rest(Enum):
    """Why a step has nothing to be decided now."""

    SETTLED = "settled"
    LIVE = "live"
    ASKED = "asked"
    LATER = "later"
    """A retry or a `wait` whose time has not come."""
    ENDING = "ending"
    """Its decision ends the run; see `endings`."""


Move = Decision | Rest

_OVER = frozenset({StepStatus.SUCCEEDED, StepStatus.SKIPPED, StepStatus.FAILED})


def move(step: PlanStep, state: RunState, facts: Facts) -> Move:
    """Return what is next for a step."""
    stands = state.steps[step.id]
    if stands.status in (StepStatus.SUCCEEDED, StepStatus.SKIPPED):
        return Rest.SETTLED
    if step.action == INCLUDE:
        return _included(step, stands, state)
    if stands.open_attempt is not None or step.id in facts.busy:
        return _live(step, stands, state, facts)
    question = state.question_on(step.id)
    if question is not None:
        return _asked(step, question, state, facts)
    if stands.answer is not None:
        return _decided(step, stands.answer, facts)
    if stands.status is StepStatus.RUNNING:
        return _timed(step, stands, facts)
    if stands.status is StepStatus.PENDING:
        return _fresh(step, stands)
    return _failed(step, stands, state)


def _asked(step: PlanStep, question: Question, state: RunState, facts: Facts) -> Move:
    """Let a person answer; an approval is other people's, who need not be here."""
    if approvals.stale(question, state):
        return Withdraw(question.id, "what it asks about has changed")
    return Approve(step.id) if approvals.enough(question, facts.now) else Rest.ASKED


def _included(step: PlanStep, stands: StepState, state: RunState) -> Move:
    """Judge an include by its steps, once all of them are over."""
    if stands.status is StepStatus.FAILED:
        return Rest.SETTLED
    parts = {one.status for one in state.children(step.id)}
    if not parts <= _OVER:
        return Rest.LATER
    if parts == {StepStatus.SKIPPED}:
        unmet = all(one.skipped_by == "when" for one in state.children(step.id))
        return Skip(step.id, "all of its steps were skipped", "when" if unmet else "end")
    return Judge(step.id, "failed" if StepStatus.FAILED in parts else "succeeded")


def _live(step: PlanStep, stands: StepState, state: RunState, facts: Facts) -> Move:
    """Let it go on; what goes on where nobody here can see it, a person is asked about."""
    if step.id not in facts.elsewhere:
        return Rest.LIVE
    if state.question_on(step.id) is not None:
        return Rest.ASKED
    if stands.answer is not None and stands.answer.choice == elsewhere.DEAD:
        return DeclareDead(step.id)
    return AskElsewhere(step.id)


def _fresh(step: PlanStep, stands: StepState) -> Decision:
    if step.when and stands.when is None:
        return EvaluateWhen(step.id)
    if stands.last is not None and stands.last.status is AttemptStatus.VOID:
        if failing.deaths(stands) > failing.RERUNS:
            return Fail(
                step.id,
                f"{step.name}: its worker ended {failing.deaths(stands)} times before it began.",
            )
        return Begin(step.id)
    return _begin(step)


def _begin(step: PlanStep) -> Decision:
    if step.action == "manual":
        return AskManual(step.id)
    if step.action == "wait":
        return BeginWait(step.id)
    if step.action == "each":
        return FixList(step.id)
    if step.action == "join":
        return Judge(step.id, "succeeded")
    return Begin(step.id) if step.confirm == "none" else AskConfirm(step.id)


def _timed(step: PlanStep, stands: StepState, facts: Facts) -> Move:
    if stands.retry_until is not None:
        return Begin(step.id) if stands.retry_until <= facts.now else Rest.LATER
    if stands.wait_until is not None and stands.wait_until <= facts.now:
        return EndWait(step.id)
    return Rest.LATER


def _failed(step: PlanStep, stands: StepState, state: RunState) -> Move:
    follows = failing.after(step, stands, state)
    if follows is failing.Next.SETTLED:
        return Rest.SETTLED
    if follows is failing.Next.AGAIN:
        return _begin(step)
    if follows is failing.Next.AGAIN_AT_ONCE:
        return Begin(step.id)
    if follows is failing.Next.RETRY:
        return PlanRetry(step.id, retries.delay(step, stands, state) or 0.0)
    return AskFailure(step.id)


def _decided(step: PlanStep, answer: Answered, facts: Facts) -> Move:
    choice = answer.choice
    if choice == approvals.DENY:
        return Fail(step.id, f"{step.name}: {answer.reason}.")
    if choice == approvals.APPROVE:
        counts = answer.fields.get("until", "") > facts.now
        return Begin(step.id) if counts else AskConfirm(step.id)
    if choice == "skip":
        return Skip(step.id, answer.reason or "", "policy" if answer.by == "policy" else "person")
    if choice in ("rollback", "abort"):
        return Rest.ENDING
    if answer.question.asks == "manual":
        ends = manuals.then(step, choice or "") in ("rollback", "abort")
        return Rest.ENDING if ends else RecordManual(step.id)
    if choice == "verified":
        return Verify(step.id)
    if choice == "undo":
        return Begin(step.id, undo=True)
    return Begin(step.id) if choice == "yes" else _begin(step)
