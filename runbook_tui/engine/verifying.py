"""What follows when a person says that a step is done. Pure.

A look that finds the effect is the machine's proof; without it the person's reason is, and without
a reason the question comes back with what the look found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runbook_tui.definition.plan import Plan, PlanStep
from runbook_tui.engine import questions
from runbook_tui.engine.judging import Seen, handed_on, still_at_it, worst
from state.events import QuestionAsked, StepJudged
from state.json_value import Json
from state.run_state import Answered, RunState
from state.status import Proof, StepStatus, Verdict


def judge(
    plan: Plan, step: PlanStep, state: RunState, answer: Answered, seen: Sequence[Seen]
) -> StepJudged | QuestionAsked:
    """Return how the step stands, or the question that is still open."""
    evidence = tuple(item for one in seen for item in one.evidence)
    reason = (answer.reason or "").strip() or None
    if seen and worst(seen) is Verdict.PRESENT:
        outputs, by_host = handed_on(seen)
        return StepJudged(
            step.id,
            StepStatus.SUCCEEDED.value,
            reason=reason,
            proof=Proof.MACHINE.value,
            outputs=outputs,
            by_host=by_host,
            evidence=evidence,
        )
    if reason is None:
        said = "; ".join(one.summary for one in seen) or "nothing can check this step"
        note = f"Not proven ({said}): say what you saw, as the reason."
        return questions.failure(plan, step, state, {"note": note})
    words: Mapping[str, Json] = {"kind": "person", "summary": reason, "data": {}}
    return StepJudged(
        step.id,
        StepStatus.SUCCEEDED.value,
        reason=reason,
        proof=person(answer),
        evidence=(*evidence, words),
    )


def runs_on(plan: Plan, step: PlanStep, state: RunState, seen: Sequence[Seen]) -> QuestionAsked:
    """Ask again: the try before is still at it, and nothing is run beside it."""
    note = f"The try before still goes on, and nothing is run beside it. {still_at_it(seen)}."
    return questions.failure(plan, step, state, {"note": note})


def person(answer: Answered) -> str | None:
    """Return who vouches for an answer: the person who gave it; a policy vouches for nothing."""
    return Proof.PERSON.value if answer.by == "person" else None
