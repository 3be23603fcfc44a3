"""How long steps and runs usually take: learned from the last runs that went well.

What the author wrote (`usually`) stands; the rest is the median of a step's own times. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from statistics import median
from typing import Final

from runbook_tui.definition.plan import Plan, PlanGroup, PlanPhase, PlanStep
from state.run_state import RunState, StepState
from state.status import RunStatus, StepStatus

RUNS: Final = 5
"""How many runs are learned from: the latest, so that what has become slower shows soon."""


@dataclass(frozen=True, slots=True)
class Usual:
    """Seconds, as a median: of the whole run (None: never seen), and by step."""

    run: float | None = None
    steps: Mapping[str, float] = field(default_factory=dict)


def learn(runbook: str, environment: str, states: Iterable[RunState]) -> Usual:
    """Learn from runs, newest first; those of other runbooks and environments do not count."""
    alike = list(islice((one for one in states if _counts(one, runbook, environment)), RUNS))
    times: dict[str, list[float]] = {}
    for state in alike:
        for step in state.steps.values():
            taken = _taken(step)
            if taken is not None:
                times.setdefault(step.id, []).append(taken)
    whole = [taken for state in alike if (taken := _between(state.started_at, state.ended_at))]
    return Usual(
        median(whole) if whole else None, {id_: median(all_) for id_, all_ in times.items()}
    )


def taught(plan: Plan, usual: Usual) -> Plan:
    """Return the plan with what was learned where its author says nothing."""

    def step(one: PlanStep) -> PlanStep:
        learned = usual.steps.get(one.id)
        return replace(one, usually=learned) if one.usually is None and learned else one

    def item(one: PlanStep | PlanGroup) -> PlanStep | PlanGroup:
        if isinstance(one, PlanGroup):
            return replace(one, steps=tuple(step(each) for each in one.steps))
        return step(one)

    phases = tuple(
        PlanPhase(phase.name, tuple(item(one) for one in phase.items)) for phase in plan.phases
    )
    return replace(plan, phases=phases)


def _counts(state: RunState, runbook: str, environment: str) -> bool:
    started = state.started
    return (
        state.status is RunStatus.SUCCEEDED
        and state.base is None
        and (started.runbook, started.environment) == (runbook, environment)
    )


def _taken(step: StepState) -> float | None:
    """Return the seconds of the try that succeeded, seen from its begin to its end."""
    last = step.last
    if step.status is not StepStatus.SUCCEEDED or last is None or step.adopted or last.undo:
        return None
    return _between(last.started_at, last.ended_at)


def _between(begun: str, ended: str | None) -> float | None:
    if ended is None:
        return None
    return max(0.0, (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds())
