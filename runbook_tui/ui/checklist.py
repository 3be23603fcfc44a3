"""The lines of the checklist: phases, groups, includes, hosts and steps, and how each stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from runbook_tui.definition import includes
from runbook_tui.definition.ids import instance_id
from runbook_tui.definition.plan import INCLUDE, PlanGroup
from runbook_tui.ui import instances
from runbook_tui.ui.clock import between
from runbook_tui.ui.scene import Scene, time_taken
from state.status import DONE_STEP, StepStatus
from widgets.durations import lasting, roughly
from widgets.glyphs import WORST_FIRST
from widgets.safe import safe
from widgets.step_tree import StepLine

if TYPE_CHECKING:
    from runbook_tui.definition.plan import PlanPhase, PlanStep


_WILL_WANT = {"typed": "type", "ask": "ask", "approval": "appr"}


def phase_id(name: str) -> str:
    """Return the id of a phase's line; no step can have it."""
    return f"phase:{name}"


def step_lines(scene: Scene) -> tuple[StepLine, ...]:
    """Return the checklist."""
    lines: list[StepLine] = []
    for phase in scene.plan.phases:
        children = _phase_children(scene, phase)
        lines.append(_phase_line(scene, phase.name, children))
        lines.extend(children)
    return tuple(lines)


def _phase_children(scene: Scene, phase: PlanPhase) -> list[StepLine]:
    """Return the lines of a phase, the line of an include before its steps."""
    lines: list[StepLine] = []
    begins: dict[str, int] = {}
    for item in phase.items:
        for outer in includes.around(item.inside):
            begins.setdefault(outer, len(lines))
        level = 1 + len(includes.around(item.inside))
        parent = item.inside or phase_id(phase.name)
        if isinstance(item, PlanGroup):
            lines.extend(_group_lines(scene, item, level, parent))
        elif item.action == INCLUDE:
            at = begins.get(item.id, len(lines))
            own = [line for line in lines[at:] if line.level == level + 1]
            lines.insert(at, _line_over(scene, item, level, parent, own))
        else:
            lines.append(_step_line(scene, item, level, parent))
    return lines


def _phase_line(scene: Scene, name: str, children: list[StepLine]) -> StepLine:
    own = [line for line in children if line.level == 1]
    done = sum(line.status in DONE_STEP for line in own)
    spans = [
        taken
        for line in own
        if line.id in scene.state.steps and (taken := time_taken(scene, line.id)) is not None
    ]
    known = [step.usually for step in scene.plan.steps() if step.phase == name]
    usual = [seconds for seconds in known if seconds is not None]
    count = f"{done}/{len(own)}"
    return StepLine(
        id=phase_id(name),
        name=name,
        level=0,
        status=worst(line.status for line in own),
        right=count,
        count=count,
        took=lasting(sum(spans)) if spans else "",
        usual=lasting(sum(usual)) if usual and len(usual) == len(known) else "",
    )


_REST = {StepStatus.PENDING: "to come", StepStatus.SUCCEEDED: "done"}


def _each_lines(scene: Scene, group: PlanGroup, level: int, parent: str) -> Iterator[StepLine]:
    """Yield an `each`, its hosts or items in trouble or at work, and the others folded."""
    found = instances.views(group, scene.state)
    stands = scene.state.steps.get(group.id)
    going = stands is not None and stands.status is StepStatus.RUNNING and not scene.state.final
    shown = [view.status for view in found] + [StepStatus.RUNNING] * going
    done = sum(view.status in DONE_STEP for view in found)
    count = f"{done}/{len(found)}"
    name = f"& {group.name}" if group.background else group.name
    yield StepLine(group.id, name, level, worst(shown), count, count=count, parent=parent)
    listed, rest = instances.parted(found)
    for view in listed:
        yield from _instance_lines(scene, group, view, level + 1, group.id)
    for status, those in rest.items():
        id_ = f"{group.id}:{status.value}"
        words = f"{len(those)} {_REST.get(status, status.value)}"
        name = instances.span(those)
        yield StepLine(
            id_, name, level + 1, status, words, count=words, parent=group.id, folded=True
        )
        for view in those:
            yield from _instance_lines(scene, group, view, level + 2, id_)


def _instance_lines(
    scene: Scene, group: PlanGroup, view: instances.View, level: int, parent: str
) -> Iterator[StepLine]:
    """Yield one host or item: its only step, or a line that its steps are folded under."""
    lines = [replace(_step_line(scene, step, level, parent), ref="") for step in view.steps]
    if len(lines) == 1:
        yield replace(lines[0], name=view.value)
        return
    taken = between(view.started_at, view.ended_at, scene.now) if view.started_at else None
    time = lasting(taken) if taken is not None else ""
    right = _whoever_drives(scene) if view.status is StepStatus.WAITING else time
    count = f"{view.done}/{len(lines)}"
    id_ = instance_id(group.id, view.name)
    yield StepLine(
        id_,
        view.value,
        level,
        view.status,
        right,
        took=time,
        count=count,
        parent=parent,
        folded=True,
    )
    for line, step in zip(lines, view.steps, strict=True):
        written = step.name.removesuffix(f" ({view.value})")
        yield replace(line, name=written, level=level + 1, parent=id_)


def _group_lines(scene: Scene, group: PlanGroup, level: int, parent: str) -> Iterator[StepLine]:
    if group.each is not None and group.each.fixed is not None:
        yield from _each_lines(scene, group, level, parent)
        return
    children = [_step_line(scene, step, level + 1, group.id) for step in group.steps]
    yield _line_over(scene, group, level, parent, children)
    yield from children


def _line_over(
    scene: Scene,
    group: PlanGroup | PlanStep,
    level: int,
    parent: str,
    children: Sequence[StepLine],
) -> StepLine:
    """Return the line of a group or an include: how its own lines stand."""
    done = sum(line.status in DONE_STEP for line in children)
    stands = scene.state.steps.get(group.id)
    shown = [line.status for line in children]
    if stands is not None and stands.status is StepStatus.RUNNING and not scene.state.final:
        shown.append(StepStatus.RUNNING)  # between two of its steps; in an ended run it is over
    status = worst(shown)
    count = f"{done}/{len(children)}"
    name = f"& {group.name}" if group.background else group.name
    return StepLine(group.id, name, level, status, count, count=count, parent=parent)


def _whoever_drives(scene: Scene) -> str:
    """Return whom a question waits for, as short as a column is."""
    if scene.driving or scene.driven is None:
        return "you"
    return safe(scene.driven.who.partition("@")[0]).plain[:5]


def _step_line(scene: Scene, step: PlanStep, level: int, parent: str) -> StepLine:
    stands = scene.state.steps.get(step.id)
    status = stands.status if stands else StepStatus.PENDING
    taken = time_taken(scene, step.id)
    usual = lasting(step.usually) if step.usually else ""
    coming = "you" if step.action == "manual" else _WILL_WANT.get(step.confirm, "")
    if status is StepStatus.PENDING:
        right = coming or (roughly(step.usually) if step.usually else "")
        took = coming
    elif status is StepStatus.WAITING:
        question = scene.state.question_on(step.id)
        approval = question is not None and question.asks == "approval"
        right = took = "appr" if approval else _whoever_drives(scene)
    elif status is StepStatus.SKIPPED:
        right = took = "skip"
    else:
        right = took = lasting(taken) if taken is not None else ""
    return StepLine(
        id=step.id,
        name=f"& {step.name}" if step.background and step.group is None else step.name,
        level=level,
        status=status,
        right=right,
        ref=", ".join(step.refs),
        took=took,
        usual=usual,
        parent=parent,
    )


def worst(statuses: Iterable[StepStatus]) -> StepStatus:
    """Return the status that a line shows for its children."""
    return min(statuses, key=WORST_FIRST.index, default=StepStatus.PENDING)
