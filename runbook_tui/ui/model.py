"""From plan and recorded state to what the widgets show. Pure: nothing here reads or acts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from textual.content import Content

from runbook_tui.definition import includes
from runbook_tui.definition.ids import instance_id
from runbook_tui.definition.plan import INCLUDE, PlanGroup
from runbook_tui.engine import endings
from runbook_tui.engine.endings import Ending
from runbook_tui.ui import instances
from runbook_tui.ui.clock import between, local, moment
from state.run_state import DRIFT, INCLUDE_ACTION, Question, RunState, StepState
from state.status import DONE_STEP, RunStatus, StepStatus
from state.stores.signals import HostState
from widgets.decision_bar import Now
from widgets.durations import about, lasting, roughly
from widgets.glyphs import UNICODE, WORST_FIRST, Glyphs
from widgets.parallel_panes import Part
from widgets.rows import EMPTY, text
from widgets.run_header import Header
from widgets.safe import safe
from widgets.step_tree import StepLine

if TYPE_CHECKING:
    from runbook_tui.definition.plan import Plan, PlanPhase, PlanStep
    from runbook_tui.ui.backend import Driven

_WILL_WANT = {"typed": "type", "ask": "ask", "approval": "appr"}


@dataclass(frozen=True, slots=True)
class Peek:
    """What a running attempt says about itself besides its log."""

    progress: str = ""
    last: tuple[str, ...] = ()
    samples: tuple[Mapping[str, Any], ...] = ()
    hosts: tuple[HostState, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """All that one picture of a run is made from."""

    plan: Plan
    state: RunState
    now: datetime
    glyphs: Glyphs = UNICODE
    peeks: Mapping[str, Peek] = field(default_factory=dict)
    driving: bool = True
    held: bool = False
    """The operator wants nothing new to start."""
    away: str = ""
    """Why the journal cannot be reached; empty while it can."""
    driven: Driven | None = None
    """Who drives instead of this session, if anybody does."""
    me: str = ""
    """Who looks: `operator@host`."""


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
        if line.id in scene.state.steps and (taken := _taken(scene, line.id)) is not None
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


_REST = {StepStatus.PENDING: "to come", StepStatus.SUCCEEDED: "done"}


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
    right = "you" if view.status is StepStatus.WAITING else time
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


def _step_line(scene: Scene, step: PlanStep, level: int, parent: str) -> StepLine:
    stands = scene.state.steps.get(step.id)
    status = stands.status if stands else StepStatus.PENDING
    taken = _taken(scene, step.id)
    usual = lasting(step.usually) if step.usually else ""
    coming = "you" if step.action == "manual" else _WILL_WANT.get(step.confirm, "")
    if status is StepStatus.PENDING:
        right = coming or (roughly(step.usually) if step.usually else "")
        took = coming
    elif status is StepStatus.WAITING:
        question = scene.state.question_on(step.id)
        right = took = "appr" if question and question.asks == "approval" else "you"
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


def _taken(scene: Scene, step: str) -> float | None:
    stands = scene.state.steps.get(step)
    if stands is None or stands.started_at is None:
        return None
    return between(stands.started_at, stands.ended_at, scene.now)


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


_FATES = {"failure": "Failed", "partial": "Half done", "unknown": "Unclear"}


def _driver(state: RunState) -> str:
    if "@" in state.driver:
        return state.driver
    return f"{state.driver}@{state.driver_host or state.host}"


_BAR_WIDTH = 76
"""Columns of a line in the bar on the narrowest screen."""

_ENDED = {
    RunStatus.SUCCEEDED: "Succeeded",
    RunStatus.ABORTED: "Aborted: nothing was undone",
    RunStatus.ROLLED_BACK: "Rolled back",
}


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
            _waits_for(scene, question),
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


def _waits_for(scene: Scene, question: Question) -> str:
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
            left += max(0.0, step.usually - (_taken(scene, step.id) or 0.0))
    return left if left >= 1 and unknown <= len(scene.state.steps) // 3 else 0.0


_FIRST = ("takeover", "rollback", "abort", "start", "unknown", "partial", "failure")


def questions(state: RunState) -> tuple[Question, ...]:
    """Return the open questions: a rollback's, which somebody has asked for; what becomes of
    changed files, before which nothing goes on; a failure before a confirmation; else the oldest
    first."""

    def rank(question: Question) -> tuple[bool, bool, bool]:
        first = question.asks != "rollback"
        return first, question.asks != DRIFT, question.asks not in _FIRST

    return tuple(sorted(state.questions, key=rank))


def first_question(state: RunState) -> Question | None:
    """Return the question to answer first, if any is open."""
    return next(iter(questions(state)), None)


def current_step(state: RunState, plan: Plan) -> str | None:
    """Return the step that matters now: with a question, running, or the next one.

    What runs in the background comes after what it runs beside.
    """
    question = first_question(state)
    if question is not None and question.step is not None:
        return question.step
    steps = [stands for stands in state.steps.values() if not stands.is_group]
    beside = {step.id for step in plan.steps() if step.background}
    running = [stands for stands in steps if stands.status is StepStatus.RUNNING]
    running = [stands for stands in running if stands.id not in beside] or running
    if running:
        group = state.steps.get(running[0].group or "")
        together = group is not None and group.action != INCLUDE_ACTION and len(running) > 1
        return group.id if group is not None and together else running[0].id
    waiting = next((stands.id for stands in steps if not stands.done), None)
    return waiting or (steps[-1].id if steps else None)


def step_title(scene: Scene, step: str) -> tuple[Content, str]:
    """Return title and right part of the pane of one step."""
    stands = scene.state.steps.get(step)
    if stands is None:
        return safe(step.removeprefix("phase:")), ""
    if stands.is_group:
        return safe(stands.name), ""
    planned = _planned(scene.plan, step)
    parts: list[str] = []
    if len(stands.attempts) == 1:
        parts.append("try 1")
    elif stands.attempts:
        parts.append(f"tries 1{scene.glyphs.dash}{len(stands.attempts)}")
    taken = _taken(scene, step)
    if taken is not None:
        usual = planned.usually if planned else None
        of = f" of ~{lasting(usual)}" if usual and not stands.done else ""
        parts.append(f"{lasting(taken)}{of}")
    if stands.adopted:
        parts.append("found done")
    return safe(stands.name), f" {scene.glyphs.dot} ".join(parts)


def _planned(plan: Plan, step: str) -> PlanStep | None:
    try:
        return plan.step(step)
    except KeyError:
        return None


def now_bar(scene: Scene, *, wide: bool = False) -> Now:
    """Return what the bar says while nothing is asked."""
    state = scene.state
    if state.final:
        return Now(text("Over"), ((safe(_ended_sentence(state)), EMPTY),))
    if not scene.driving:
        back = f"Take it up again: runbook resume {state.run}"
        return Now(text("Not driven"), ((safe(state.reason or state.left or back), EMPTY),))
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
    if peek.progress:
        return safe(peek.progress)
    planned = _planned(scene.plan, stands.id)
    taken = _taken(scene, stands.id) or 0.0
    usual = planned.usually if planned else None
    slow = " Slower than usual." if usual and taken > 2 * usual else ""
    of = f" of ~{lasting(usual)}" if usual else ""
    return safe(f"{stands.name} runs {scene.glyphs.dot} {lasting(taken)}{of}.{slow}")


def _ends(scene: Scene, stands: StepState) -> Content:
    planned = _planned(scene.plan, stands.id)
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


def parts(scene: Scene, group: str) -> tuple[Part, ...]:
    """Return the steps of a group with the end of their output."""
    found = []
    for stands in scene.state.children(group):
        taken = _taken(scene, stands.id)
        planned = _planned(scene.plan, stands.id)
        time = lasting(taken) if taken is not None else ""
        if stands.status is StepStatus.RUNNING and planned and planned.usually:
            right = f"{time} of ~{lasting(planned.usually)}"
        else:
            words = {StepStatus.SUCCEEDED: "done", StepStatus.PENDING: "not started"}
            right = f"{time} {words.get(stands.status, stands.status.value)}".strip()
        last = scene.peeks.get(stands.id, Peek()).last
        found.append(Part(stands.id, stands.name, stands.status, right, last))
    return tuple(found)


def away(scene: Scene) -> float:
    """Return the seconds since the last event of the journal."""
    last = moment(scene.state.at)
    return max(0.0, (scene.now - last).total_seconds()) if last else 0.0
