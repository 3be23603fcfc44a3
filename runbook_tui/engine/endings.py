"""Whether a run is to end before its last step, and how: abort or rollback. Pure.

Abort outweighs rollback. A person's decision on the whole run stops what is running; the decision
on one step of a group, or an author's `on_failure`, waits for its neighbours (and stops them where
the group says `fail_fast`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal

from runbook_tui.definition.plan import Plan, PlanStep
from runbook_tui.engine import failing, manuals, plan_index
from state.run_state import Answered, Question, RunState, StepState
from state.status import StepStatus

Kind = Literal["abort", "rollback"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How the run is to end. `step` is where that was decided, None for the run as a whole."""

    kind: Kind
    reason: str
    step: str | None = None

    @property
    def stops(self) -> bool:
        """Whether what is running is stopped for it."""
        return self.step is None


def wanted(plan: Plan, state: RunState) -> Ending | None:
    """Return how the run is to end early, or None when it goes on."""
    found = wishes(plan, state)
    aborts = [ending for ending in found if ending.kind == "abort"]
    return next(iter(aborts or found), None)


def wishes(plan: Plan, state: RunState) -> list[Ending]:
    """Return every decision that ends the run early, those on the run as a whole first."""
    return [*_of_run(plan, state), *_of_steps(plan, state)]


def confirmation(state: RunState) -> Question | None:
    """Return the rollback's own question if it is open."""
    return next((one for one in state.questions if one.asks == "rollback"), None)


def _of_run(plan: Plan, state: RunState) -> Iterator[Ending]:
    for answer in state.answered.values():
        if answer.question.step is not None:
            continue
        if answer.choice == "abort":
            yield Ending("abort", answer.reason or "ended by decision")
        elif answer.choice == "rollback" and plan.way_back:
            yield Ending("rollback", answer.reason or "decided by a person")


def _of_steps(plan: Plan, state: RunState) -> Iterator[Ending]:
    ranks = plan_index.of(plan).ranks
    found = [(*ranks[one.id], one) for one in state.steps.stirred() if one.id in ranks]
    for _, step, stands in sorted(found, key=itemgetter(0)):
        if stands.answer is None and stands.status is not StepStatus.FAILED:
            continue
        if stands.open_attempt is None and state.question_on(step.id) is None:
            ending = _of_step(step, stands, state)
            if ending is not None and (plan.way_back or ending.kind == "abort"):
                yield ending


def _of_step(step: PlanStep, stands: StepState, state: RunState) -> Ending | None:
    if stands.answer is not None:
        kind = _chosen(step, stands.answer)
        return (
            Ending(kind, stands.answer.reason or f"decided at {step.name}", step.id)
            if kind
            else None
        )
    follows = failing.after(step, stands, state)
    if follows in (failing.Next.ABORT, failing.Next.ROLLBACK):
        kind = "abort" if follows is failing.Next.ABORT else "rollback"
        return Ending(kind, f"{step.name} failed, and its on_failure says {kind}", step.id)
    return None


def _chosen(step: PlanStep, answer: Answered) -> Kind | None:
    if answer.choice == "abort":
        return "abort"
    if answer.choice == "rollback":
        return "rollback"
    if answer.question.asks == "manual" and answer.choice is not None:
        then = manuals.then(step, answer.choice)
        return then if then == "abort" or then == "rollback" else None
    return None
