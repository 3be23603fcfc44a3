"""What whoever drives may do while others are to approve: remind them, or take the question back.

A question that was taken back leaves its step waiting for whoever drives: it is asked again
(`retry`), skipped, or the run ends. Whoever approves after that is told so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runbook_tui.definition.plan import Plan, PlanStep
from runbook_tui.engine import approvals, questions
from runbook_tui.engine.ports import Remind, TakeBack
from state.events import ApproversReminded, Payload, QuestionAsked, QuestionWithdrawn
from state.run_state import Question, RunState

WITHDRAWN: Final = "withdrawn"
"""What is asked at a step whose approval was taken back."""


def events(
    command: Remind | TakeBack, plan: Plan, state: RunState, online: Sequence[str] = ()
) -> Sequence[Payload]:
    """Return the events of a command; none when its question is open no more.

    `online` are those who watch now.
    """
    question = state.question(command.question)
    if question is None or question.asks != approvals.ASKS or question.step is None:
        return ()
    if isinstance(command, Remind):
        return (ApproversReminded(question.id, tuple(online)),)
    said = f"taken back by {state.driver}@{state.driver_host}: {command.reason}"
    step = next(one for one in plan.steps() if one.id == question.step)
    return (QuestionWithdrawn(question.id, said), asked(plan, step, state, question, said))


def asked(
    plan: Plan, step: PlanStep, state: RunState, before: Question, said: str
) -> QuestionAsked:
    """Return what is asked of whoever took the question back."""
    return QuestionAsked(
        questions.next_id(state),
        step.id,
        WITHDRAWN,
        f"{step.name} has not begun: its question was taken back. What now?",
        ("retry", "skip", *questions.ways_out(plan)),
        None,
        {"reason": said, "rows": before.shown.get("rows")},
    )


def asked_again(plan: Plan, step: PlanStep, state: RunState, before: Question) -> QuestionAsked:
    """Return the same, asked anew."""
    return asked(plan, step, state, before, str(before.shown.get("reason") or ""))
