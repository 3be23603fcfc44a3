"""What needs the operator first: the open questions in order, the step that matters now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from state.run_state import DRIFT, INCLUDE_ACTION, Question, RunState
from state.status import StepStatus

if TYPE_CHECKING:
    from runbook_tui.definition.plan import Plan


_FIRST = ("takeover", "rollback", "abort", "start", "unknown", "partial", "failure")


def questions(state: RunState) -> tuple[Question, ...]:
    """Return the open questions: a rollback's, which somebody has asked for; what becomes of
    changed files, before which nothing goes on; a failure before a confirmation; else the oldest
    first."""

    def rank(question: Question) -> tuple[bool, bool, bool]:
        first = question.asks != "rollback"
        return first, question.asks != DRIFT, question.asks not in _FIRST

    return tuple(sorted(state.questions, key=rank))


def first_question(state: RunState) -> Question | None:
    """Return the question to answer first, if any is open."""
    return next(iter(questions(state)), None)


def current_step(state: RunState, plan: Plan) -> str | None:
    """Return the step that matters now: with a question, running, or the next one.

    What runs in the background comes after what it runs beside.
    """
    question = first_question(state)
    if question is not None and question.step is not None:
        return question.step
    steps = [stands for stands in state.steps.values() if not stands.is_group]
    beside = {step.id for step in plan.steps() if step.background}
    running = [stands for stands in steps if stands.status is StepStatus.RUNNING]
    running = [stands for stands in running if stands.id not in beside] or running
    if running:
        group = state.steps.get(running[0].group or "")
        together = group is not None and group.action != INCLUDE_ACTION and len(running) > 1
        return group.id if group is not None and together else running[0].id
    waiting = next((stands.id for stands in steps if not stands.done), None)
    return waiting or (steps[-1].id if steps else None)
