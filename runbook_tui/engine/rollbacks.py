"""What taking a run back means: which steps, by which linked run, and what stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from runbook_tui.actions import registry
from runbook_tui.definition.plan import Plan, PlanStep
from state.json_value import Json
from state.run_state import RunState, StepState
from state.status import StepStatus


@dataclass(frozen=True, slots=True)
class Extent:
    """What a rollback takes back (ids, newest first), and what it cannot, each with a sentence."""

    undo: tuple[str, ...]
    stays: tuple[tuple[str, str], ...]
    cannot: tuple[tuple[str, str], ...]


def extent(plan: Plan, state: RunState) -> Extent:
    """Return what a rollback of a run is about: every step that had an effect, or may have had."""
    begun = [step for step in plan.steps() if state.steps[step.id].attempts]
    begun.sort(key=lambda step: state.steps[step.id].attempts[-1].started_at, reverse=True)
    instead = plan.rollback is not None and plan.rollback.instead_of_undo
    undo: list[str] = []
    stays: list[tuple[str, str]] = []
    cannot: list[tuple[str, str]] = []
    for step in begun:
        stands = state.steps[step.id]
        if step.no_return is not None:
            cannot.append((step.id, step.no_return))
        if not _acted(stands):
            continue
        if not _to_undo(stands):
            cannot.append((step.id, "nobody knows whether it took effect"))
        elif step.undo is not None and not instead:
            undo.append(step.id)
        else:
            stays.append(
                (step.id, "no step of this rollback undoes it" if instead else "it has no undo")
            )
    return Extent(tuple(undo), tuple(stays), tuple(cannot))


def _acted(stands: StepState) -> bool:
    """Whether the step changed something, or may have."""
    last = stands.last
    if last is None or last.reads or stands.status in (StepStatus.SKIPPED, StepStatus.UNDONE):
        return False
    return stands.status is StepStatus.SUCCEEDED or last.effect != "none"


def _to_undo(stands: StepState) -> bool:
    """Whether the effect is there, wholly or in part."""
    last = stands.last
    partly = last is not None and last.effect in ("partial", "done")
    return stands.status is StepStatus.SUCCEEDED or partly


def next_id(base: str, taken: Sequence[str]) -> str:
    """Return the id of the next linked run that rolls `base` back."""
    first = f"{base}-back"
    number, found = 1, first
    while found in taken:
        number += 1
        found = f"{first}-{number}"
    return found


class Rollbacks:
    """The rollback of one run, as its driver needs to know it."""

    def __init__(self, plan: Plan, runs: Callable[[], list[str]], base: RunState | None) -> None:
        self._plan = plan
        self._runs = runs
        self._base = base

    def next_id(self, state: RunState) -> str:
        """Return the id that the linked run will have."""
        return next_id(state.run, self._runs())

    def shown(self, state: RunState) -> Mapping[str, Json]:
        """Return what a rollback's confirmation shows."""
        names = {step.id: step for step in self._plan.steps()}
        found = extent(self._plan, state)
        shown: dict[str, Json] = {
            "undone": [[id_, _way(names[id_])] for id_ in found.undo],
            "stays": [[id_, why] for id_, why in found.stays],
            "cannot": [[id_, why] for id_, why in found.cannot],
        }
        if self._plan.rollback is not None:
            shown["runbook"] = self._plan.rollback.file
        return shown

    def shown_here(self) -> Mapping[str, Json]:
        """Return what the question at the start shows: of a rollback, the steps it will take."""
        if self._plan.way_back:
            return {}
        return {"steps": [[step.id, step.name] for step in self._plan.steps()]}


def _way(step: PlanStep) -> str:
    if step.undo is None:
        return ""
    rows = registry.spec(step.undo.action).describe(step.undo.options)
    return f"{rows[0].label} {rows[0].text}" if rows else step.undo.action
