"""What may happen next in a run. Pure: from its plan, its record and what the driver is busy with.

Steps go one after another, phase by phase; those of a group side by side. The rules of a group:
conditions first, then all confirmations, then all begin; once one has failed none begins for the
first time, and `fail_fast` stops those that run. What runs in the background lets the next ones
begin once it has begun itself; when it has failed, nothing begins before that is decided. An early
end (see `endings`) waits until nothing is live, and stops what runs in the background: it only
reads. A move that needs nothing but time or a person yields no decision.
"""

from __future__ import annotations

from collections.abc import Sequence

from runbook_tui.definition.plan import Plan, PlanGroup, PlanStep
from runbook_tui.engine import endings, manuals, plan_index, sequences
from runbook_tui.engine.decisions import (
    Approve,
    AskConfirm,
    AskElsewhere,
    AskFailure,
    AskManual,
    AskRollback,
    AskStart,
    Begin,
    BeginRollback,
    BeginWait,
    Decision,
    DeclareDead,
    End,
    EvaluateWhen,
    Fail,
    Judge,
    Skip,
    StopAttempt,
    Withdraw,
)
from runbook_tui.engine.endings import Ending
from runbook_tui.engine.facts import Facts
from runbook_tui.engine.moves import Move, Rest, move
from state.run_state import DRIFT, RunState
from state.status import StepStatus

_UNSETTLED = (StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.UNDONE)


def decide(plan: Plan, state: RunState, facts: Facts) -> tuple[Decision, ...]:
    """Return what the driver may do now, in order; nothing when time or a person is needed."""
    if state.final or state.rollback_by is not None:
        return ()
    ending = endings.wanted(plan, state)
    if ending is not None:
        return _wind_up(plan, state, facts, ending)
    if endings.confirmation(state) is not None:
        return ()
    if not started(plan, state):
        return () if any(one.asks == "start" for one in state.questions) else (AskStart(),)
    if state.adopting or any(one.asks == DRIFT for one in state.questions):
        return ()
    rest = _finish_early(plan, state, facts)
    if rest is not None:
        return rest
    return _walk(plan, state, facts)


def started(plan: Plan, state: RunState) -> bool:
    """Tell whether the run may begin: where that is asked at all, somebody said so."""
    if plan.way_back and not plan.home().protected:
        return True
    return any(
        answer.question.step is None and answer.choice in ("yes", "rollback")
        for answer in state.answered.values()
    )


def _walk(plan: Plan, state: RunState, facts: Facts) -> tuple[Decision, ...]:
    """Return the decisions of the first item that is not settled, and of what runs beside it."""
    beside: set[str] = set()
    breached = False
    for item in plan_index.of(plan).unsettled(state):
        found = (
            _group(item, state, facts)
            if isinstance(item, PlanGroup)
            else _single(item, state, facts)
        )
        if found is None:
            continue
        found = _unless_held(found, facts)
        if _awaited(item) in beside:
            found = tuple(one for one in found if not isinstance(one, Judge))
        if breached:
            found = tuple(one for one in found if not _starts(one, state))
        if found or not _runs_aside(item, state):
            return found
        beside.add(item.id)
        breached = breached or _breached(item, state)
    return () if beside else (End("succeeded", state.failures),)


def _awaited(item: PlanStep | PlanGroup) -> str | None:
    """Return the step whose end an item waits for, if it is a `join`."""
    if isinstance(item, PlanGroup) or item.action != "join":
        return None
    return str(item.options["join"])


def _runs_aside(item: PlanStep | PlanGroup, state: RunState) -> bool:
    """Tell whether an item lets the next ones begin: in the background, and begun."""
    if not item.background:
        return False
    if isinstance(item, PlanGroup):
        return any(state.steps[step.id].attempts for step in item.steps)
    return bool(state.steps[item.id].attempts)


def _breached(item: PlanStep | PlanGroup, state: RunState) -> bool:
    """Tell whether something of an item has failed and awaits what a person decides."""
    ids = [step.id for step in item.steps] if isinstance(item, PlanGroup) else [item.id]
    return any(state.steps[id_].status in _UNSETTLED and state.question_on(id_) for id_ in ids)


def _starts(decision: Decision, state: RunState) -> bool:
    """Tell whether a decision is the first sign of life of a step."""
    if isinstance(decision, Begin | BeginWait | AskConfirm | AskManual | EvaluateWhen):
        stands = state.steps[decision.step]
        return stands.status is StepStatus.PENDING and not stands.attempts
    return False


def _unless_held(found: Sequence[Decision], facts: Facts) -> tuple[Decision, ...]:
    if not facts.held:
        return tuple(found)
    return tuple(one for one in found if not isinstance(one, Begin | AskConfirm | BeginWait))


def _single(step: PlanStep, state: RunState, facts: Facts) -> tuple[Decision, ...] | None:
    found = move(step, state, facts)
    if found is Rest.SETTLED:
        return None
    return () if isinstance(found, Rest) else (found,)


def _group(group: PlanGroup, state: RunState, facts: Facts) -> tuple[Decision, ...] | None:
    if group.each is not None:
        found = sequences.decide(group, group.each, state, facts)
        return _judge(group, state) if found is None else found
    moves = {step.id: move(step, state, facts) for step in group.steps}
    if all(found is Rest.SETTLED for found in moves.values()):
        return _judge(group, state)
    decisions = [found for found in moves.values() if not isinstance(found, Rest)]
    conditions = [found for found in decisions if isinstance(found, EvaluateWhen)]
    if conditions:
        return tuple(conditions)
    failed = _failing(group, moves, state)
    if _confirming(group, moves, state):
        decisions = [found for found in decisions if not isinstance(found, Begin | BeginWait)]
    elif failed:
        decisions = [found for found in decisions if not _first(found, state, group)]
    if failed and group.fail_fast:
        decisions += _stops(group.steps, state, f"{group.name}: another step failed (fail_fast)")
    return tuple(decisions)


def _failing(group: PlanGroup, moves: dict[str, Move], state: RunState) -> bool:
    """Tell whether a step of the group has failed and awaits what a person decides."""
    return any(
        isinstance(moves[step.id], AskFailure)
        or (moves[step.id] is Rest.ASKED and state.steps[step.id].status in _UNSETTLED)
        for step in group.steps
    )


def _confirming(group: PlanGroup, moves: dict[str, Move], state: RunState) -> bool:
    """Tell whether the group's confirmations are still being asked, before its first start."""
    if any(state.steps[step.id].attempts for step in group.steps):
        return False
    return any(
        isinstance(moves[step.id], AskConfirm | Approve | Withdraw)
        or (moves[step.id] is Rest.ASKED and step.confirm != "none" and step.action != "manual")
        for step in group.steps
    )


def _first(decision: Decision, state: RunState, group: PlanGroup) -> bool:
    """Tell whether a decision starts a step for the first time, or again under `fail_fast`."""
    if not isinstance(decision, Begin | BeginWait | AskConfirm):
        return False
    stands = state.steps[decision.step]
    again = stands.status is StepStatus.RUNNING and group.fail_fast
    return again or (stands.status is StepStatus.PENDING and not stands.attempts)


def _judge(group: PlanGroup, state: RunState) -> tuple[Decision, ...] | None:
    if state.steps[group.id].status in (
        StepStatus.SUCCEEDED,
        StepStatus.SKIPPED,
        StepStatus.FAILED,
    ):
        return None
    stands = [state.steps[step.id] for step in group.steps]
    if all(one.status is StepStatus.SKIPPED for one in stands):
        unmet = all(one.skipped_by == "when" for one in stands)
        return (Skip(group.id, "all of its steps were skipped", "when" if unmet else "end"),)
    failed = any(one.status is StepStatus.FAILED for one in stands)
    return (Judge(group.id, "failed" if failed else "succeeded"),)


def _stops(steps: Sequence[PlanStep], state: RunState, reason: str) -> list[Decision]:
    return [
        StopAttempt(step.id, reason)
        for step in steps
        if (attempt := state.steps[step.id].open_attempt) is not None
        and attempt.stop_reason is None
    ]


def _finish_early(plan: Plan, state: RunState, facts: Facts) -> tuple[Decision, ...] | None:
    """Skip what has not begun once a person chose an answer that ends the run as succeeded.

    What has begun is brought to its own end first, sequences for other hosts and items too:
    nothing that failed or is unknown is left so, and no host between two steps.
    """
    by = next((step for step in plan_index.of(plan).manuals if _ended(step, state)), None)
    if by is None:
        return None
    halfway = {step.id: step for step in sequences.halfway(plan, state, facts, by)}
    halfway |= {step.id: step for step in plan.steps() if state.steps[step.id].attempts}
    begun = [move(step, state, facts) for step in halfway.values()]
    if any(found is not Rest.SETTLED for found in begun) or facts.busy:
        return tuple(found for found in begun if not isinstance(found, Rest))
    reason = state.steps[by.id].reason or f"ended at {by.name}"
    withdrawn = [Withdraw(one.id, reason) for one in state.questions]
    if withdrawn:
        return tuple(withdrawn)
    return _rest_skipped(plan, state, facts, reason) or (End("succeeded", state.failures, reason),)


def _ended(step: PlanStep, state: RunState) -> bool:
    stands = state.steps[step.id]
    chosen = stands.outputs.get("choice")
    return (
        stands.status is StepStatus.SUCCEEDED
        and chosen is not None
        and manuals.then(step, chosen) == "end"
    )


def _rest_skipped(plan: Plan, state: RunState, facts: Facts, reason: str) -> tuple[Decision, ...]:
    """Return decisions that leave nothing of a run neither begun nor settled."""
    settled = (StepStatus.SUCCEEDED, StepStatus.SKIPPED)
    left: list[Decision] = [
        Skip(step.id, reason, "end")
        for step in plan.steps()
        if state.steps[step.id].status not in settled and not state.steps[step.id].attempts
    ]
    left = left or [one for group in plan.groups() for one in _judge(group, state) or ()]
    return tuple(left) or tuple(
        found for one in plan.includes() if not isinstance(found := move(one, state, facts), Rest)
    )


def _cut_short(plan: Plan, state: RunState, reason: str) -> list[Decision]:
    """Return decisions for steps that only wait for a time: nothing waits in a run that is over."""
    waiting = [one for one in plan.steps() if state.steps[one.id].status is StepStatus.RUNNING]
    return [
        Fail(one.id, state.steps[one.id].reason or reason)
        if state.steps[one.id].attempts
        else Skip(one.id, reason, "end")
        for one in waiting
    ]


def _live(state: RunState, facts: Facts) -> bool:
    return bool(state.open_attempts()) or bool(facts.busy)


def _about_elsewhere(plan: Plan, state: RunState, facts: Facts) -> tuple[Decision, ...]:
    """Return what concerns attempts of other machines: an end waits for them too."""
    moves = (move(step, state, facts) for step in plan.steps() if step.id in facts.elsewhere)
    return tuple(found for found in moves if isinstance(found, AskElsewhere | DeclareDead))


def _wind_up(plan: Plan, state: RunState, facts: Facts, ending: Ending) -> tuple[Decision, ...]:
    """Bring a run to its early end: nothing new, wait for what is live, then end or hand over."""
    stops: list[Decision] = []
    for group in plan.groups():
        if group.fail_fast or ending.stops:
            stops += _stops(group.steps, state, f"the run ends: {ending.reason}")
    if ending.stops:
        grouped = {step.id for group in plan.groups() for step in group.steps}
        stops += [
            StopAttempt(step.id, f"the run ends: {ending.reason}")
            for step, attempt in state.open_attempts()
            if attempt.stop_reason is None and step.id not in grouped
        ]
    stops += _stops(
        [step for step in plan.steps() if step.background], state, f"the run ends: {ending.reason}"
    )
    if stops:
        return tuple(stops)
    if _live(state, facts):
        return _about_elsewhere(plan, state, facts)
    if ending.kind == "rollback" and ending.step is not None:
        return () if endings.confirmation(state) else (AskRollback(ending.reason),)
    reason = f"the run ends: {ending.reason}"
    others: list[Decision] = [Withdraw(one.id, reason) for one in state.questions]
    others = others or _cut_short(plan, state, reason)
    if others:
        return tuple(others)
    if ending.kind == "rollback":
        return (BeginRollback(ending.reason),)
    return (End("aborted", state.failures, ending.reason),)
