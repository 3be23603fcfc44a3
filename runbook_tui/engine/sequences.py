"""What may happen next in an `each`: one sequence of steps for each host or item. Pure.

First its list is fixed. Then the sequences go on, at most `batch` at the same time: those that have
begun first, then the next ones of the list. A sequence stands still where a step of it has failed
and awaits a decision; decided, it goes on there as soon as there is room. Once more than
`max_failures` sequences have failed no other one begins, and those with `on_failure: continue`
beyond that number are asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runbook_tui.definition.plan import Each, Plan, PlanGroup, PlanStep
from runbook_tui.engine.decisions import (
    AskConfirm,
    AskFailure,
    AskManual,
    Begin,
    BeginWait,
    Decision,
    EvaluateWhen,
    Skip,
)
from runbook_tui.engine.facts import Facts
from runbook_tui.engine.moves import Move, Rest, move
from state.run_state import RunState
from state.status import StepStatus

_STARTS = Begin | BeginWait | AskConfirm | AskManual | EvaluateWhen
_UNDECIDED = (StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.UNDONE)


@dataclass(frozen=True, slots=True)
class _Front:
    """The first step of a sequence that is not settled, and its move."""

    step: PlanStep
    move: Move
    begun: bool
    failing: bool

    @property
    def holds_a_place(self) -> bool:
        """Whether it counts as one of the batch: begun, and not standing still at a failure."""
        return self.begun and not self.failing and not self.comes_back

    @property
    def comes_back(self) -> bool:
        """Whether it goes on after a failure, and so needs a place again."""
        return self.failing and isinstance(self.move, _STARTS)


def decide(
    group: PlanGroup, each: Each, state: RunState, facts: Facts
) -> tuple[Decision, ...] | None:
    """Return what may happen now, None when all sequences are settled."""
    if each.fixed is None:
        return _unfixed(group, each, state, facts)
    fronts, failed = _fronts(group, state, facts, each.fixed.max_failures)
    if not fronts:
        return None
    found = [one.move for one in fronts if not isinstance(one.move, Rest) and _goes_on(one)]
    free = each.fixed.batch - sum(one.holds_a_place for one in fronts)
    coming = [one for one in fronts if one.comes_back]
    if failed <= each.fixed.max_failures:
        coming += [one for one in fronts if not one.begun]
    for one in coming[: max(0, free)]:
        if not isinstance(one.move, Rest):
            found.append(one.move)
    return tuple(found)


def _goes_on(front: _Front) -> bool:
    """Tell whether a sequence may do its move without asking for a place in the batch."""
    return front.begun and not front.comes_back


def halfway(plan: Plan, state: RunState, facts: Facts, but: PlanStep) -> list[PlanStep]:
    """Return where each sequence stands that has begun and is not done, but that of one step."""
    return [
        front.step
        for group in plan.groups()
        for sequence in group.sequences()
        if but not in sequence
        and (front := _front(sequence, state, facts, frozenset())) is not None
        and front.begun
    ]


def _unfixed(
    group: PlanGroup, each: Each, state: RunState, facts: Facts
) -> tuple[Decision, ...] | None:
    """Fix the list, or leave out the templates of an `each` that is left out itself."""
    found = move(each.head, state, facts)
    if not isinstance(found, Rest):
        return (found,)
    if found is not Rest.SETTLED:
        return ()
    head = state.steps[group.id]
    reason = head.reason or "left out"
    by: Literal["when", "end"] = "when" if head.skipped_by == "when" else "end"
    left = [step for step in group.steps if state.steps[step.id].status is StepStatus.PENDING]
    return tuple(Skip(step.id, reason, by) for step in left) or None


def _fronts(
    group: PlanGroup, state: RunState, facts: Facts, limit: int
) -> tuple[list[_Front], int]:
    """Return where each sequence that is not settled stands, and how many have failed."""
    sequences = group.sequences()
    intolerable = _intolerable(sequences, state, limit)
    fronts: list[_Front] = []
    failed = 0
    for sequence in sequences:
        front = _front(sequence, state, facts, intolerable)
        if front is not None:
            fronts.append(front)
        failed += any(state.steps[step.id].status in _UNDECIDED for step in sequence)
    return fronts, failed


def _front(
    sequence: Sequence[PlanStep], state: RunState, facts: Facts, intolerable: frozenset[str]
) -> _Front | None:
    for step in sequence:
        found = move(step, state, facts)
        stands = state.steps[step.id]
        if found is Rest.SETTLED and step.id in intolerable:
            found = AskFailure(step.id)
        if found is not Rest.SETTLED:
            failing = stands.status in _UNDECIDED and found is not Rest.LIVE
            return _Front(step, found, _begun(sequence, state), failing)
    return None


def _begun(sequence: Sequence[PlanStep], state: RunState) -> bool:
    """Tell whether anything of a sequence was done, decided or asked."""
    return any(
        (stands := state.steps[step.id]).status is not StepStatus.PENDING
        or stands.attempts
        or stands.when is not None
        for step in sequence
    )


def _intolerable(
    sequences: Sequence[Sequence[PlanStep]], state: RunState, limit: int
) -> frozenset[str]:
    """Return the steps whose `on_failure: continue` goes beyond what may fail, the newest ones."""
    failed = sorted(
        (state.steps[step.id].ended_at or "", place, step.id)
        for place, sequence in enumerate(sequences)
        for step in sequence
        if state.steps[step.id].status is StepStatus.FAILED and step.on_failure == "continue"
    )
    tolerated: set[int] = set()
    beyond = []
    for _, place, id_ in failed:
        if place in tolerated or len(tolerated) < limit:
            tolerated.add(place)
        else:
            beyond.append(id_)
    return frozenset(beyond)
