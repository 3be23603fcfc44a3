"""The questions that a run asks, and which answers to them count. Pure.

Before a step: `yes skip rollback abort` (or a `manual` step's own choices). After a failure:
`retry verified continue skip undo rollback abort`, as far as each makes sense. While another
machine is at it: `dead`. The choices are the
words of `--answer`; doing nothing is always possible and therefore no choice.
"""

from __future__ import annotations

from collections.abc import Mapping

from runbook_tui.definition.plan import Plan, PlanStep
from runbook_tui.engine import approvals, elsewhere, manuals
from runbook_tui.engine.ports import Answer
from state.events import QuestionAsked
from state.json_value import Json
from state.run_state import EACH_ACTION, Question, RunState, StepState
from state.status import StepStatus, Verdict

_PARTIAL = Verdict.PARTIAL.value
NEEDS_REASON = frozenset({"skip", elsewhere.DEAD})


def next_id(state: RunState) -> str:
    """Return an id that no question of the run had."""
    return f"q{len(state.answered) + len(state.questions) + 1}"


def start(plan: Plan, state: RunState, shown: Mapping[str, Json]) -> QuestionAsked:
    """Ask whether the run, or the rollback that it is, may begin."""
    home = plan.home()
    typed = home.name if home.protected else None
    if plan.way_back:
        text, asks, yes = f"Start {plan.runbook} in {home.name}?", "start", "yes"
    else:
        # Without an environment it is asked by its own name, as in: Roll back My first runbook?
        text = f"Roll back {home.name}?" if home.name else f"{plan.runbook}?"
        asks, yes = "rollback", "rollback"
    return QuestionAsked(next_id(state), None, asks, text, (yes, "abort"), typed, shown)


def confirm(
    plan: Plan, step: PlanStep, state: RunState, shown: Mapping[str, Json]
) -> QuestionAsked:
    """Ask whether a step may begin: the operator, or (`approval`) others than them."""
    typed = step.confirm == "typed"
    place = plan.environments[step.environment].name
    approval = step.confirm == approvals.ASKS
    yes = (approvals.APPROVE, approvals.DENY) if approval else ("yes",)
    text = f"{step.name}: begin in {place}?" if place else f"Begin {step.name}?"
    if step.undoes is not None:
        text = f"{step.name} in {place}?" if place else f"{step.name}?"
    return QuestionAsked(
        next_id(state),
        step.id,
        step.confirm if typed or approval else "confirm",
        text,
        (*yes, "skip", *ways_out(plan)),
        place if typed else None,
        shown,
    )


def manual(plan: Plan, step: PlanStep, state: RunState, shown: Mapping[str, Json]) -> QuestionAsked:
    """Have a person do what a `manual` step says."""
    return QuestionAsked(
        next_id(state),
        step.id,
        "manual",
        f"{step.name}: done?" if len(manuals.offered(step)) == 1 else f"{step.name}: which?",
        (*manuals.offered(step), "skip", *ways_out(plan)),
        None,
        shown,
    )


def failure(
    plan: Plan, step: PlanStep, state: RunState, shown: Mapping[str, Json]
) -> QuestionAsked:
    """Ask what is to happen with a step that failed, is partly done, unknown or undone."""
    stands = state.steps[step.id]
    asks = _kind(stands)
    return QuestionAsked(
        next_id(state),
        step.id,
        asks,
        f"{step.name} {_FATE[asks, stands.status is StepStatus.UNDONE]}. What now?",
        tuple(_after_failure(plan, step, stands, asks)),
        None,
        shown,
    )


def elsewhere_(step: PlanStep, state: RunState) -> QuestionAsked:
    """Ask whether the machine that began the step's open attempt is dead."""
    attempt = state.steps[step.id].open_attempt
    if attempt is None:
        raise ValueError(f"{step.id} has no open attempt")
    text = f"{step.name} is running on {attempt.host}. Is {attempt.host} dead?"
    return QuestionAsked(
        next_id(state),
        step.id,
        elsewhere.ASKS,
        text,
        (elsewhere.DEAD,),
        None,
        elsewhere.shown(attempt, state),
    )


_FATE: Mapping[tuple[str, bool], str] = {
    ("failure", False): "failed",
    ("failure", True): "is undone",
    ("partial", False): "is partly done",
    ("unknown", False): "has an outcome that nobody knows",
}


def rollback(
    plan: Plan, state: RunState, reason: str, by: str, shown: Mapping[str, Json]
) -> QuestionAsked:
    """Have the rollback of a run that still goes on confirmed."""
    home = plan.home()
    place = home.name or plan.runbook
    return QuestionAsked(
        next_id(state),
        None,
        "rollback",
        f"Roll back {place}?",
        ("rollback",),
        home.name if home.protected else None,
        {**shown, "run": by, "reason": reason},
    )


def abort(state: RunState, reason: str) -> QuestionAsked:
    """Stand for the operator's own wish to end the run, which is answered as it is asked."""
    return QuestionAsked(next_id(state), None, "abort", reason, ("abort",))


def _kind(stands: StepState) -> str:
    last = stands.last
    if stands.status is StepStatus.UNDONE:
        return "failure"
    if last is not None and not last.undo and _PARTIAL in (last.verdict, last.effect):
        return "partial"
    return "unknown" if stands.status is StepStatus.UNKNOWN else "failure"


def _after_failure(plan: Plan, step: PlanStep, stands: StepState, asks: str) -> list[str]:
    undecided = bool(step.when) and stands.when is None
    undone = stands.status is StepStatus.UNDONE
    acted = bool(stands.attempts)
    words: list[str] = []
    if not undecided:
        words.append("retry")
        if asks == "partial":
            words.append("continue")
        if not undone and step.action != EACH_ACTION:
            words.append("verified")
    words.append("skip")
    if step.undo is not None and acted and not undone:
        words.append("undo")
    return [*words, *ways_out(plan)]


def ways_out(plan: Plan) -> tuple[str, ...]:
    """Return the answers that end the run."""
    return ("rollback", "abort") if plan.way_back else ("abort",)


def problem(question: Question, answer: Answer, step: PlanStep | None) -> str | None:
    """Return a sentence when an answer does not count, None when it does."""
    if answer.choice not in question.choices:
        return (
            f"{answer.choice} is no answer to: {question.text} "
            f"The answers are {', '.join(question.choices)}."
        )
    if answer.choice in (approvals.APPROVE, approvals.DENY):
        return f"{question.text} Another operator must say: see runbook approve --help."
    if answer.choice in NEEDS_REASON and not (answer.reason or "").strip():
        return f"{answer.choice} needs a reason."
    if question.typed is not None and answer.choice in ("yes", "rollback"):
        given = answer.fields.get("typed", "").strip().casefold()
        if given != question.typed.casefold():
            return f"Type {question.typed} to go on; {given or 'nothing'} was typed."
    if question.asks == "manual" and step is not None and answer.choice in manuals.offered(step):
        return manuals.missing(step, answer.choice, answer.reason, answer.fields)
    return None
