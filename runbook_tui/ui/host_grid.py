"""What the pane of an `each` shows: all of its hosts or items, or one of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from runbook_tui.definition.plan import Each, Plan, PlanGroup
from runbook_tui.ui import instances
from runbook_tui.ui.clock import between
from runbook_tui.ui.instances import View
from runbook_tui.ui.scene import Peek, Scene
from state.run_state import StepState
from state.status import StepStatus
from widgets.durations import lasting
from widgets.glyphs import MARK_STYLES
from widgets.host_table import HostLine
from widgets.rows import text
from widgets.safe import safe
from widgets.text_pane import Section

_WORDS = {
    StepStatus.PENDING: "not started",
    StepStatus.SUCCEEDED: "done",
    StepStatus.SKIPPED: "left out",
    StepStatus.UNDONE: "undone",
}
_STATES = {
    StepStatus.PENDING: "waiting",
    StepStatus.SUCCEEDED: "done",
    StepStatus.SKIPPED: "done",
    StepStatus.UNDONE: "done",
    StepStatus.FAILED: "failed",
    StepStatus.UNKNOWN: "unknown",
    StepStatus.INTERRUPTED: "unknown",
}
_FAILED = (StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.UNDONE)


def group_of(plan: Plan, line: str) -> PlanGroup | None:
    """Return the `each` that a line of the checklist belongs to and that is no step's own line."""
    for group in plan.groups():
        if group.each is not None and group.each.fixed is not None:
            own = line == group.id or line.startswith((f"{group.id}@", f"{group.id}:"))
            if own:
                return group
    return None


def title(scene: Scene, line: str) -> str | None:
    """Return the title of the pane of such a line."""
    group = group_of(scene.plan, line)
    if group is None:
        return None
    view = _chosen(scene, group, line)
    return f"{group.name}: {view.value}" if view else group.name


@dataclass(frozen=True, slots=True)
class Grid:
    """All hosts or items of a group, as the host table shows them."""

    lines: tuple[HostLine, ...]
    noun: str
    right: str
    note: str


def grid(scene: Scene, line: str) -> Grid | None:
    """Return the table of a group; None for a line that is no group's, or for one host of it."""
    group = group_of(scene.plan, line)
    if group is None or group.each is None or _chosen(scene, group, line) is not None:
        return None
    batch = group.each.fixed.batch if group.each.fixed else 1
    found = instances.views(group, scene.state)
    return Grid(
        tuple(_line(scene, view) for view in found),
        group.each.over,
        f"{batch} at a time",
        _limit(scene, group, group.each),
    )


def opened(scene: Scene, line: str, value: str) -> str | None:
    """Return the step to show for a host or item of a group: where it stands, or its last."""
    group = group_of(scene.plan, line)
    if group is None:
        return None
    view = next((one for one in instances.views(group, scene.state) if one.value == value), None)
    if view is None:
        return None
    return view.front.id if view.front is not None else view.steps[-1].id


def sections(scene: Scene, line: str) -> tuple[Section, ...]:
    """Return the steps of one host or item; nothing for every other line."""
    group = group_of(scene.plan, line)
    view = _chosen(scene, group, line) if group is not None else None
    return (Section(tuple(_of_one(scene, view)), indent=2),) if view is not None else ()


def _chosen(scene: Scene, group: PlanGroup, line: str) -> View | None:
    name = line.removeprefix(f"{group.id}@")
    if name == line:
        return None
    found = instances.views(group, scene.state)
    return next((view for view in found if view.name == name), None)


def _limit(scene: Scene, group: PlanGroup, each: Each) -> str:
    """Say how much may fail, once something has."""
    failed = instances.failed(group, scene.state)
    most = each.fixed.max_failures if each.fixed else 0
    if not failed or scene.state.final:
        return ""
    if failed > most:
        return f"{failed} failed, {most} may: no other {each.over} begins before you decide."
    said = f"{instances.of_most(group, failed)}. At {most + 1} no new {each.over} starts; "
    return said + "the running ones finish."


def _line(scene: Scene, view: View) -> HostLine:
    taken = between(view.started_at, view.ended_at, scene.now) if view.started_at else None
    return HostLine(view.value, _STATES.get(view.status, "running"), _says(scene, view), taken)


def _says(scene: Scene, view: View) -> str:
    """Return what matters about a host: why it failed, what it does, how far it is."""
    front = view.front
    if view.quiet or front is None:
        return _WORDS.get(view.status, view.status.value)
    if front.status in _FAILED:
        return f"{_written(view, front)}: {front.reason or front.status.value}"
    if front.status is StepStatus.WAITING:
        return f"{_written(view, front)}: asks you"
    peek = scene.peeks.get(front.id, Peek())
    now = peek.progress or next(iter(peek.last[-1:]), "").removeprefix(f"{view.value} | ")
    return f"{_written(view, front)}{': ' if now else ''}{now}"


def _written(view: View, step: StepState) -> str:
    return step.name.removesuffix(f" ({view.value})")


def _of_one(scene: Scene, view: View) -> list[Content]:
    rows = []
    for step in view.steps:
        stands = scene.state.steps[step.id]
        taken = (
            between(stands.started_at, stands.ended_at, scene.now) if stands.started_at else None
        )
        time = lasting(taken) if taken is not None else ""
        said = stands.reason or _WORDS.get(stands.status, stands.status.value)
        rows.append(
            text(_mark(scene, stands.status), " ")
            + safe(f"{time:>6}  {_written(view, stands)}: {said}")
        )
    return rows


def _mark(scene: Scene, status: StepStatus) -> tuple[str, str]:
    return scene.glyphs.marks[status], MARK_STYLES[status]
