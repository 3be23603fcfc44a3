"""The two rows on top of a run: what it is, where it stands, how long it still takes."""

from __future__ import annotations

from runbook_tui.ui.attention import first_question
from runbook_tui.ui.clock import between
from runbook_tui.ui.scene import Scene, time_taken
from state.run_state import Question, RunState, StepState
from state.status import DONE_STEP, RunStatus
from widgets.durations import about, lasting
from widgets.rows import text
from widgets.run_header import Header
from widgets.safe import safe

_FATES = {"failure": "Failed", "partial": "Half done", "unknown": "Unclear"}

_ENDED = {
    RunStatus.SUCCEEDED: "Succeeded",
    RunStatus.ABORTED: "Aborted: nothing was undone",
    RunStatus.ROLLED_BACK: "Rolled back",
}


def header(scene: Scene) -> Header:
    """Return the two rows on top."""
    plan, state, glyphs = scene.plan, scene.state, scene.glyphs
    title = safe(plan.runbook)
    watching = scene.driven is not None and not scene.driving
    if watching:
        title = text(("WATCHING", "bold reverse"), "  ") + title
    version = plan.parameters.get("version")
    if version is not None and not version.secret:
        title += text("  ") + safe(version.value)
    home = plan.environments.get(plan.environment)
    more = safe(plan.file.rsplit("/", 1)[-1])
    if state.started.commit:
        more += text("  ") + safe(state.started.commit[:7])
    return Header(
        title=title,
        place=plan.environment,
        protected=bool(home and home.protected),
        who=scene.me if watching and scene.me else _driver(state),
        where=safe(f" {glyphs.dot} ".join(_where(scene))),
        right=safe(f"run {state.run}"),
        more=more,
    )


def _driver(state: RunState) -> str:
    if "@" in state.driver:
        return state.driver
    return f"{state.driver}@{state.driver_host or state.host}"


def _where(scene: Scene) -> list[str]:
    state = scene.state
    steps = [stands for stands in state.steps.values() if not stands.is_group]
    total = len(steps)
    spent = between(state.started_at, state.ended_at, scene.now) or 0.0
    so_far = f"{lasting(spent)} so far"
    if state.status in _ENDED:
        done = sum(stands.status in DONE_STEP for stands in steps)
        failures = f"{state.failures} failed" if state.failures else ""
        parts = [_ENDED[state.status], f"{done} of {total}", f"took {lasting(spent)}", failures]
        return [part for part in parts if part]
    if not scene.driving and scene.driven is None:
        return ["Nobody drives this run now", f"{_place(steps)} of {total}"]
    if scene.away:
        return ["The journal is away", "waits for it; what runs goes on"]
    question = first_question(state)
    running = [stands for stands in steps if stands.open_attempt is not None]
    if question is not None and question.asks in ("failure", "partial", "unknown"):
        place = _number(steps, question.step)
        still = f"{len(running)} still running" if running else "nothing is running"
        word = _FATES[question.asks]
        return [f"{word} at step {place} of {total}", so_far, still]
    if question is not None:
        left = _left(scene)
        then = [f"then about {about(left)}"] if left else []
        return [
            waits_for(scene, question),
            f"{_number(steps, question.step)} of {total}",
            so_far,
            *then,
        ]
    beside = {step.id for step in scene.plan.steps() if step.background}
    ahead_of = [stands for stands in running if stands.id not in beside] or running
    current = ahead_of[0] if running else next((s for s in steps if not s.done), None)
    phase = f"{current.phase}, " if current else ""
    left = _left(scene)
    ahead = [f"about {about(left)} left"] if left else []
    if scene.held:
        ahead = ["pauses after it"]
    place = _number(steps, current.id) if current else total
    return [f"{phase}step {place} of {total}", so_far, *ahead]


def waits_for(scene: Scene, question: Question) -> str:
    """Return whom an open question waits for."""
    if question.asks == "approval":
        return "Waits for an approval"
    if scene.driven is not None and not scene.driving:
        return f"Waits for {scene.driven.who.partition('@')[0]}"
    return "Waits for you"


def _place(steps: list[StepState]) -> int:
    return sum(stands.done for stands in steps)


def _number(steps: list[StepState], id_: str | None) -> int:
    if id_ is None:
        return min(_place(steps) + 1, len(steps))
    for number, stands in enumerate(steps, 1):
        if stands.id == id_ or (stands.group is not None and stands.group == id_):
            return number
    return 1


def _left(scene: Scene) -> float:
    """Return the seconds that the rest usually takes; 0 when too little of it is known."""
    left, unknown = 0.0, 0
    for step in scene.plan.steps():
        stands = scene.state.steps.get(step.id)
        if stands is None or stands.done:
            continue
        if step.usually is None:
            unknown += 1
        else:
            left += max(0.0, step.usually - (time_taken(scene, step.id) or 0.0))
    return left if left >= 1 and unknown <= len(scene.state.steps) // 3 else 0.0
