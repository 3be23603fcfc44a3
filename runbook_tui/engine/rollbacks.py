"""What taking a run back means: which steps, by which linked run, and what stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook_tui.actions import registry
from runbook_tui.actions.api import Spec
from runbook_tui.actions.shared import host_fields
from runbook_tui.definition.plan import Plan, PlanEnvironment, PlanStep
from runbook_tui.definition.rollback import Done, RollbackPlan, make_rollback_plan
from runbook_tui.engine import plans
from state.events import RunRolledBack
from state.json_value import Json
from state.run_state import AttemptState, RunState, StepState
from state.status import StepStatus

UndoOptions = Callable[[PlanStep], Mapping[str, Any]]
"""Gives the options of a step's way back as people may see them."""


def done(plan: Plan, state: RunState) -> list[Done]:
    """Return the steps whose effect is there, wholly or in part, in the order of their doing."""
    steps = [step for step in plan.steps() if _there(state.steps[step.id])]
    steps.sort(key=lambda step: state.steps[step.id].attempts[-1].started_at)
    return [Done(step.id, *handed_on(state.steps[step.id])) for step in steps]


def handed_on(stands: StepState) -> tuple[Mapping[str, str], Mapping[str, Mapping[str, str]]]:
    """Return what a step gave, or what its last try gave before it failed."""
    last = _last(stands)
    if stands.status is StepStatus.SUCCEEDED or last is None:
        return stands.outputs, stands.by_host
    return last.outputs, last.by_host


def in_doubt(plan: Plan, state: RunState) -> list[PlanStep]:
    """Return the steps of which nobody knows whether they had an effect."""
    return [
        step
        for step in plan.steps()
        if _acted(state.steps[step.id]) and not _there(state.steps[step.id])
    ]


def make(plan: Plan, state: RunState) -> RollbackPlan:
    """Return the plan that takes a run back. Raises UsageProblem when it lacks a value."""
    plan = plans.of(plan, state)
    return make_rollback_plan(plan, done(plan, state))


def next_id(base: str, taken: Sequence[str]) -> str:
    """Return the id of the next linked run that rolls `base` back."""
    first = f"{base}-back"
    number, found = 1, first
    while found in taken:
        number += 1
        found = f"{first}-{number}"
    return found


def rolled_back(linked: Plan, state: RunState) -> RunRolledBack:
    """Return the event that marks the base run, once its linked run has ended well."""
    undone = [
        step.undoes
        for step in linked.steps()
        if step.undoes is not None and state.steps[step.id].status is StepStatus.SUCCEEDED
    ]
    return RunRolledBack(state.run, tuple(undone))


def shown(plan: Plan, state: RunState, undo_options: UndoOptions) -> Mapping[str, Json]:
    """Return what a rollback's confirmation shows. Raises UsageProblem as `make` does."""
    plan = plans.of(plan, state)
    made = make(plan, state)
    cannot = [
        [step.id, step.no_return]
        for step in plan.steps()
        if step.no_return is not None and _acted(state.steps[step.id])
    ]
    doubt = [[step.id, "nobody knows whether it took effect"] for step in in_doubt(plan, state)]
    return {
        "undone": [
            [one.undoes, _way(plan, one, undo_options(plan.step(one.undoes)))]
            for one in made.plan.steps()
            if one.undoes is not None
        ],
        "steps": [[one.id, one.name] for one in made.plan.steps() if not one.undoes],
        "stays": [[one.id, one.name] for one in made.without_undo],
        "cannot": [*cannot, *doubt, *([one.id, why] for one, why in made.cannot)],
    }


@dataclass(frozen=True, slots=True)
class Rollbacks:
    """The rollback of the run that is driven."""

    plan: Plan
    runs: Callable[[], list[str]]

    def next_id(self, state: RunState) -> str:
        """Return the id that the linked run will have."""
        return next_id(state.run, self.runs())

    def shown(self, state: RunState, undo_options: UndoOptions) -> Mapping[str, Json]:
        """Return what the confirmation shows. Raises UsageProblem when nothing can be planned."""
        return shown(self.plan, state, undo_options)


def _last(stands: StepState) -> AttemptState | None:
    """Return the newest attempt at doing the step: those at undoing it do not count."""
    return next((one for one in reversed(stands.attempts) if not one.undo), None)


def _acted(stands: StepState) -> bool:
    """Whether the step changed something, or may have."""
    last = _last(stands)
    if last is None or last.reads or stands.status in (StepStatus.SKIPPED, StepStatus.UNDONE):
        return False
    return stands.status is StepStatus.SUCCEEDED or last.effect != "none"


def _there(stands: StepState) -> bool:
    """Whether the step succeeded (or was found done), or is there in part."""
    last = _last(stands)
    partly = last is not None and last.effect in ("partial", "done")
    return _acted(stands) and (stands.status is StepStatus.SUCCEEDED or partly)


def host_by_host(
    spec: Spec, options: Mapping[str, Any], place: PlanEnvironment
) -> Mapping[str, Any]:
    """Return options that name each host of a group where something is to go for good."""
    if spec.hosts is None or not spec.removes(options):
        return options
    names = host_fields.names(options.get(spec.hosts))
    each = [host.name for name in names for host in place.groups.get(name, ())]
    return {**options, spec.hosts: each or list(names)}


def _way(plan: Plan, step: PlanStep, options: Mapping[str, Any]) -> str:
    spec = registry.spec(step.action)
    rows = spec.describe(host_by_host(spec, options, plan.environments[step.environment]))
    return f"{rows[0].label} {rows[0].text}" if rows else step.action
