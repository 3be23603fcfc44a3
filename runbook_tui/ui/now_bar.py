"""What the bar says while nothing is asked."""

from __future__ import annotations

from textwrap import wrap

from textual.content import Content

from runbook_tui.engine import endings
from runbook_tui.engine.endings import Ending
from runbook_tui.ui.clock import local
from runbook_tui.ui.scene import Peek, Scene, planned_step, time_taken
from state.run_state import RunState, StepState
from state.status import RunStatus, StepStatus
from widgets.ask import Now
from widgets.durations import lasting
from widgets.rows import EMPTY, text
from widgets.safe import safe

_BAR_WIDTH = 76
"""Columns of a line in the bar on the narrowest screen."""


def now_bar(scene: Scene, *, wide: bool = False) -> Now:
    """Return what the bar says while nothing is asked."""
    state = scene.state
    if state.final:
        return Now(text("Over"), ((safe(_ended_sentence(state)), EMPTY),))
    if not scene.driving:
        left = state.reason or state.left
        back = f"Take it up again: runbook resume {state.run}"
        told = tuple((safe(line), EMPTY) for line in (left, back) if line)
        return Now(text("Not driven"), told)
    if scene.away:
        why = wrap(scene.away, _BAR_WIDTH)[:2]
        return Now(text("The journal is away"), tuple((safe(line), EMPTY) for line in why))
    running = [stands for stands, _ in state.open_attempts()]
    if not running:
        return Now(text("Now"), ((_between_steps(scene), EMPTY),))
    lines = [(_doing(scene, running[0]), _ends(scene, running[0]))]
    beside = {step.id for step in scene.plan.steps() if step.background}
    if len(running) == 2 and running[0].id in beside and running[1].id not in beside:
        lines = [(_doing(scene, running[1]), safe(f"beside {running[0].name}"))]
    elif len(running) > 1:
        lines = [(safe(f"{several(running)} run at once."), EMPTY)]
    ending = endings.wanted(scene.plan, state)
    if ending is not None:
        lines.append((_ending(ending, running), EMPTY))
    elif wide:
        lines.append((_next(scene), EMPTY))
    return Now(text("Now"), tuple(lines))


def several(running: list[StepState]) -> str:
    """Return the names of steps, of many only the first two."""
    names = [stands.name for stands in running]
    if len(names) <= 3:
        return ", ".join(names)
    return f"{names[0]}, {names[1]} and {len(names) - 2} more"


def _ended_sentence(state: RunState) -> str:
    if state.status is RunStatus.SUCCEEDED:
        failed = f", {state.failures} failed and was left so" if state.failures else ""
        return f"Every step is done{failed}. The journal is kept."
    if state.status is RunStatus.ROLLED_BACK:
        return f"What this run did is taken back by run {state.rolled_back_by}."
    return state.reason or "The run was ended by its operator; what is done stays done."


def _between_steps(scene: Scene) -> Content:
    waits = [stands for stands in scene.state.steps.values() if stands.wait_until]
    retries = [stands for stands in scene.state.steps.values() if stands.retry_until]
    for stands in waits:
        return safe(f"{stands.name} waits until {local(stands.wait_until)}.")
    for stands in retries:
        return safe(f"{stands.name} is tried again at {local(stands.retry_until)}.")
    if scene.held:
        return text("Paused: nothing new starts until you go on.")
    return text("Nothing is running.")


def _doing(scene: Scene, stands: StepState) -> Content:
    peek = scene.peeks.get(stands.id, Peek())
    if stands.last is not None and stands.last.stop_reason:
        return safe(f"{stands.name} is being stopped: {stands.last.stop_reason}")
    if peek.hosts and (told := _on_hosts(peek)):
        return safe(f"{stands.name}: {told}")
    if peek.progress:
        return safe(peek.progress)
    planned = planned_step(scene.plan, stands.id)
    taken = time_taken(scene, stands.id) or 0.0
    usual = planned.usually if planned else None
    slow = " Slower than usual." if usual and taken > 2 * usual else ""
    of = f" of ~{lasting(usual)}" if usual else ""
    return safe(f"{stands.name} runs {scene.glyphs.dot} {lasting(taken)}{of}.{slow}")


def _on_hosts(peek: Peek) -> str:
    """Return how a step stands that runs on hosts: trouble with a link before anything else."""
    lost = [host.host for host in peek.hosts if host.state == "lost"]
    if lost:
        links, are = ("link", "is") if len(lost) == 1 else ("links", "are")
        return f"the {links} to {_first(lost)} {are} lost and tried again."
    unclear = [host.host for host in peek.hosts if host.state == "unknown"]
    if unclear and all(host.state != "running" for host in peek.hosts):
        return f"looking what became of it on {_first(unclear)}."
    return peek.progress


def _first(hosts: list[str]) -> str:
    return hosts[0] if len(hosts) == 1 else f"{hosts[0]} and {len(hosts) - 1} more"


def _ends(scene: Scene, stands: StepState) -> Content:
    planned = planned_step(scene.plan, stands.id)
    if planned is None or planned.timeout is None:
        return EMPTY
    return text((f"this try ends at {lasting(planned.timeout)}", "$rb-muted"))


def _ending(ending: Ending, running: list[StepState]) -> Content:
    """Say what waits for the running steps: the rollback's question, or the end of the run."""
    names = several(running)
    has = "has" if len(running) == 1 else "have"
    asks = ending.kind == "rollback" and ending.step is not None
    what = "The rollback is asked" if asks else "The rollback begins"
    if ending.kind == "abort":
        what = "The run ends"
    stopping = all(stands.last is not None and stands.last.stop_reason for stands in running)
    stop = "" if stopping else "; d x stops it" if len(running) == 1 else "; d x stops one"
    return safe(f"{what} when {names} {has} ended{stop}.")


def _next(scene: Scene) -> Content:
    coming = [
        step
        for step in scene.plan.steps()
        if (stands := scene.state.steps.get(step.id)) and stands.status is StepStatus.PENDING
    ]
    if not coming:
        return text("Nothing comes after it.")
    first = coming[0]
    how = {"typed": "needs the typed name", "ask": "asks you first"}.get(first.confirm)
    if first.action == "manual":
        how = "is an item for you"
    words = f"Next: {first.name} {how or 'starts by itself'}."
    asking = next((step for step in coming[1:] if step.confirm != "none"), None)
    if how is None and asking is not None:
        words += f" The next question is {asking.name}."
    return safe(words)
