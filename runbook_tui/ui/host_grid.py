"""What the pane of an `each` shows: all of its hosts or items, or one of them. Pure."""

from __future__ import annotations

from textual.content import Content

from runbook_tui.definition.plan import Each, Plan, PlanGroup
from runbook_tui.ui import instances
from runbook_tui.ui.clock import between
from runbook_tui.ui.instances import View
from runbook_tui.ui.model import Peek, Scene
from state.run_state import StepState
from state.status import DONE_STEP, StepStatus
from widgets.durations import lasting
from widgets.glyphs import MARK_STYLES
from widgets.rows import text
from widgets.safe import safe
from widgets.text_pane import Section

_WORDS = {
    StepStatus.PENDING: "not started",
    StepStatus.SUCCEEDED: "done",
    StepStatus.SKIPPED: "left out",
    StepStatus.UNDONE: "undone",
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


def sections(scene: Scene, line: str) -> tuple[Section, ...]:
    """Return how the hosts or items of a group stand, or the steps of the chosen one."""
    group = group_of(scene.plan, line)
    if group is None or group.each is None:
        return ()
    view = _chosen(scene, group, line)
    if view is not None:
        return (Section(tuple(_of_one(scene, view)), indent=2),)
    found = instances.views(group, scene.state)
    listed, rest = instances.parted(found)
    rows = [_row(scene, one) for one in listed]
    rows += [_summary(scene, status, those) for status, those in rest.items()]
    lines = (_head(scene, group.each, found), text("sorted: trouble first"), text(), *rows)
    limit = _limit(scene, group, group.each)
    return (Section(lines, indent=2), *((Section((limit,)),) if limit else ()))


def _chosen(scene: Scene, group: PlanGroup, line: str) -> View | None:
    name = line.removeprefix(f"{group.id}@")
    if name == line:
        return None
    found = instances.views(group, scene.state)
    return next((view for view in found if view.name == name), None)


def _head(scene: Scene, each: Each, found: tuple[View, ...]) -> Content:
    head = text(f"{len(found)} {each.over}s")
    for status, count in instances.counts(found).items():
        head += text("  ", _mark(scene, status), f" {count}")
    batch = each.fixed.batch if each.fixed else 1
    return head + text((f"  {batch} at a time", "$rb-muted"))


def _limit(scene: Scene, group: PlanGroup, each: Each) -> Content | None:
    """Say how much may fail, once something has."""
    failed = instances.failed(group, scene.state)
    most = each.fixed.max_failures if each.fixed else 0
    if not failed or scene.state.final:
        return None
    if failed > most:
        return text(f"{failed} failed, {most} may: no other {each.over} begins before you decide.")
    said = f"{failed} of at most {most} failures. At {most + 1} no new {each.over} starts; "
    return text(said + "the running ones finish.")


def _row(scene: Scene, view: View) -> Content:
    taken = between(view.started_at, view.ended_at, scene.now) if view.started_at else None
    time = lasting(taken) if taken is not None else ""
    return text(_mark(scene, view.status), " ") + safe(
        f"{view.value:<14} {time:>6}  {_says(scene, view)}"
    )


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
    now = peek.progress or next(iter(peek.last[-1:]), "")
    return f"{_written(view, front)}{': ' if now else ''}{now}"


def _written(view: View, step: StepState) -> str:
    return step.name.removesuffix(f" ({view.value})")


def _summary(scene: Scene, status: StepStatus, those: tuple[View, ...]) -> Content:
    said = f"{instances.span(those)}   {len(those)} {_WORDS.get(status, status.value)}"
    times = [between(one.started_at, one.ended_at, scene.now) for one in those if one.started_at]
    usual = instances.usual(seconds for seconds in times if seconds is not None)
    if status in DONE_STEP and usual is not None:
        said += f"   median {lasting(usual)}"
    return text(_mark(scene, status), " ") + safe(said)


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
