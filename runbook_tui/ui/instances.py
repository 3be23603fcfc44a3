"""How each host or item of an `each` stands, trouble first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbook_tui.definition.plan import PlanGroup, PlanStep
from state.run_state import RunState, StepState
from state.status import DONE_STEP, StepStatus
from widgets.glyphs import WORST_FIRST

FEW = 8
"""Hosts or items that are listed one by one even when nothing of them is going on."""

_TROUBLE = frozenset(WORST_FIRST[: WORST_FIRST.index(StepStatus.RUNNING)])


@dataclass(frozen=True, slots=True)
class View:
    """One host or item: `front` is the step that matters now, None when all are done."""

    name: str
    value: str
    steps: tuple[PlanStep, ...]
    status: StepStatus
    done: int
    front: StepState | None
    started_at: str | None
    ended_at: str | None

    @property
    def quiet(self) -> bool:
        """Whether it has not begun, or is done."""
        return self.status in (StepStatus.PENDING, *DONE_STEP)


def views(group: PlanGroup, state: RunState) -> tuple[View, ...]:
    """Return every host or item of a group, trouble first, then in the order of the list."""
    if group.each is None or group.each.fixed is None:
        return ()
    pairs = zip(group.each.fixed.instances, group.sequences(), strict=True)
    found = [_view(one.name, one.value, steps, state) for one, steps in pairs]
    return tuple(sorted(found, key=lambda view: WORST_FIRST.index(view.status)))


def _view(name: str, value: str, steps: tuple[PlanStep, ...], state: RunState) -> View:
    stands = [state.steps[step.id] for step in steps if step.id in state.steps]
    done = sum(one.status in DONE_STEP for one in stands)
    begun = [one.started_at for one in stands if one.started_at is not None]
    ended = [one.ended_at for one in stands if one.ended_at is not None]
    status = _status(stands)
    front = next((one for one in stands if one.status in _TROUBLE), None)
    if front is None:
        front = next((one for one in stands if one.status not in DONE_STEP), None)
    over = max(ended) if ended and status is not StepStatus.RUNNING else None
    return View(name, value, steps, status, done, front, min(begun, default=None), over)


def _status(stands: Sequence[StepState]) -> StepStatus:
    worst = min((one.status for one in stands), key=WORST_FIRST.index, default=StepStatus.PENDING)
    if worst is StepStatus.PENDING and any(one.status is not worst for one in stands):
        return StepStatus.RUNNING
    # A host of which only some steps were left out is done.
    done = [one.status for one in stands]
    if worst is StepStatus.SKIPPED and StepStatus.SUCCEEDED in done:
        return StepStatus.SUCCEEDED
    return worst


def failed(group: PlanGroup, state: RunState) -> int:
    """Return how many hosts or items have a step that failed, is unknown or undone."""
    undecided = (StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.UNDONE)
    return sum(
        any(state.steps[step.id].status in undecided for step in sequence)
        for sequence in group.sequences()
    )


def may_go_on(group: PlanGroup, state: RunState) -> bool:
    """Tell whether further hosts or items may begin in spite of what has failed."""
    fixed = group.each.fixed if group.each else None
    return fixed is not None and failed(group, state) <= fixed.max_failures


def of_most(group: PlanGroup, failed: int) -> str:
    """Return how many failed, of how many that may."""
    most = group.each.fixed.max_failures if group.each and group.each.fixed else 0
    return f"{failed} of at most {most} failure{'' if most == 1 else 's'}"


def parted(found: Sequence[View]) -> tuple[tuple[View, ...], dict[StepStatus, tuple[View, ...]]]:
    """Return those to list one by one, and the quiet rest by status when there are many."""
    if len(found) <= FEW:
        return tuple(found), {}
    rest: dict[StepStatus, tuple[View, ...]] = {}
    for status in (StepStatus.PENDING, StepStatus.SKIPPED, StepStatus.UNDONE, StepStatus.SUCCEEDED):
        those = tuple(view for view in found if view.status is status)
        if those:
            rest[status] = those
    return tuple(view for view in found if not view.quiet), rest


def span(found: Sequence[View]) -> str:
    """Return the first and the last of some, as `web-29 … web-40`."""
    if len(found) == 1:
        return found[0].value
    return f"{found[0].value} … {found[-1].value}"
