"""The title of a step's pane, and the panes of a group's steps beside each other."""

from __future__ import annotations

from textual.content import Content

from runbook_tui.ui.scene import Peek, Scene, planned_step, time_taken
from state.status import StepStatus
from widgets.durations import lasting
from widgets.parallel_panes import Part
from widgets.safe import safe


def step_title(scene: Scene, step: str) -> tuple[Content, str]:
    """Return title and right part of the pane of one step."""
    stands = scene.state.steps.get(step)
    if stands is None:
        return safe(step.removeprefix("phase:")), ""
    if stands.is_group:
        return safe(stands.name), ""
    planned = planned_step(scene.plan, step)
    parts: list[str] = []
    if len(stands.attempts) == 1:
        parts.append("try 1")
    elif stands.attempts:
        parts.append(f"tries 1{scene.glyphs.dash}{len(stands.attempts)}")
    taken = time_taken(scene, step)
    if taken is not None:
        usual = planned.usually if planned else None
        of = f" of ~{lasting(usual)}" if usual and not stands.done else ""
        parts.append(f"{lasting(taken)}{of}")
    if stands.adopted:
        parts.append("found done")
    return safe(stands.name), f" {scene.glyphs.dot} ".join(parts)


def parts(scene: Scene, group: str) -> tuple[Part, ...]:
    """Return the steps of a group with the end of their output."""
    found = []
    for stands in scene.state.children(group):
        taken = time_taken(scene, stands.id)
        planned = planned_step(scene.plan, stands.id)
        time = lasting(taken) if taken is not None else ""
        if stands.status is StepStatus.RUNNING and planned and planned.usually:
            right = f"{time} of ~{lasting(planned.usually)}"
        else:
            words = {StepStatus.SUCCEEDED: "done", StepStatus.PENDING: "not started"}
            right = f"{time} {words.get(stands.status, stands.status.value)}".strip()
        last = scene.peeks.get(stands.id, Peek()).last
        found.append(Part(stands.id, stands.name, stands.status, right, last))
    return tuple(found)
