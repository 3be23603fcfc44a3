"""What a question says besides its answers: how it is put, and what to know before one decides."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from runbook_tui.definition.plan import PlanGroup
from runbook_tui.engine import approvals
from runbook_tui.engine.asking_others import WITHDRAWN
from runbook_tui.ui import asking_others, instances, leftovers
from runbook_tui.ui.answers import LOOKED_INTO
from runbook_tui.ui.clock import local
from runbook_tui.ui.labels import shown_lines
from runbook_tui.ui.now_bar import several
from runbook_tui.ui.scene import Scene
from state.run_state import DRIFT, Question
from state.status import StepStatus
from widgets.rows import text
from widgets.safe import safe

_ALL = 150
"""Cells for names in a sentence of two rows."""


def words(scene: Scene, question: Question) -> str:
    """Return the question itself."""
    if question.asks == "approval" and question.step is not None:
        return f"Another operator must approve: {scene.state.steps[question.step].name}"
    return question.text


def lines(scene: Scene, question: Question) -> tuple[Content, ...]:
    """Return what is worth knowing before one decides."""
    if question.asks == "rollback":
        return (safe("A run of its own takes back what this run did, newest first."),)
    if question.asks == approvals.ASKS:
        return asking_others.bar_lines(question, scene)
    if question.asks == WITHDRAWN:
        return (safe(f"It was {question.shown.get('reason')}."),)
    if question.asks == "takeover":
        by = f"{question.shown['by']}@{question.shown['host']}"
        why = safe(f'{by}: "{question.shown["reason"]}"')
        then = "Without an answer in 30 s this screen becomes read only. Running steps go on."
        return (why, text(then))
    if question.asks == "elsewhere":
        begun, heard = (local(str(question.shown.get(name, ""))) for name in ("since", "heard"))
        told = f"Begun there {begun}, last heard from {heard}. From here nobody can see what"
        return (safe(f"{told} it does; its result is taken as soon as it comes."),)
    if question.asks == DRIFT:
        return (text("What has begun stays as it was. Nothing starts until you have decided."),)
    if question.asks == "manual":
        return (text("An item for a person. Your words and name go into the report."),)
    if question.asks in LOOKED_INTO:
        return tuple(safe(line) for line in _after_failure(scene, question))
    if question.shown.get("undoes"):
        return (text("Where nothing was before, nothing takes its place."),)
    no_return = question.shown.get("no_return")
    return (safe(f"No way back: {no_return}"),) if no_return else ()


_UNKNOWN = {
    False: "Nothing runs again by itself. Run it again only if you know that it did not happen.",
    True: (
        "Run again, it reads its record on the host first: what still runs there is awaited, "
        "and what ended well counts as done."
    ),
}
"""What is said where nobody knows, without and with a record that the act keeps of itself."""


def _after_failure(scene: Scene, question: Question) -> Iterator[str]:
    """Yield what is worth knowing before one decides, in a line or two."""
    note = question.shown.get("note")
    if note:
        yield str(note)
    running = [stands for stands, _ in scene.state.open_attempts()]
    if running:
        go = "goes on" if len(running) == 1 else "go on"
        yield f"{several(running)} {go}. {_meanwhile(scene, question.step or '')}"
    elif question.asks == "partial":
        names = leftovers.of(scene, question).short(_ALL)
        yield f"Going on does only what is not done: {names}."
    elif question.asks == "unknown" and not note:
        yield _UNKNOWN[bool(question.shown.get("records"))]
    if not running and (waits := _not_begun(scene, question.step or "")):
        yield waits
    if question.asks == "failure" and (told := leftovers.of(scene, question).told()):
        yield told


def _group_of(scene: Scene, step: str) -> PlanGroup | None:
    """Return the `each` that a step is a part of."""
    groups = (group for group in scene.plan.groups() if group.each is not None)
    return next((one for one in groups if any(each.id == step for each in one.steps)), None)


def _not_begun(scene: Scene, step: str) -> str:
    """Say what of an `each` waits for the decision; nothing when nothing does."""
    group = _group_of(scene, step)
    if group is None or instances.may_go_on(group, scene.state):
        return ""
    views = instances.views(group, scene.state)
    waiting = [view for view in views if view.status is StepStatus.PENDING]
    if not waiting:
        return ""
    has, does = ("has", "does") if len(waiting) == 1 else ("have", "do")
    return f"{instances.span(waiting)} {has} not begun, and {does} not before you have decided."


def _meanwhile(scene: Scene, step: str) -> str:
    """Say whether anything new begins before a failure is decided."""
    group = _group_of(scene, step)
    if group is not None and group.each is not None and instances.may_go_on(group, scene.state):
        failed = instances.failed(group, scene.state)
        return f"So do the other {group.each.over}s: {instances.of_most(group, failed)}."
    return "Nothing later starts until you have decided."


def rows(question: Question) -> tuple[Content, ...]:
    """Return what a confirmation tells of the step: label and text, a row each."""
    if question.asks not in ("confirm", "typed", "start", "approval", WITHDRAWN, DRIFT):
        return ()
    told = ("rows", "steps", "lines")
    found = {name: question.shown[name] for name in told if name in question.shown}
    return tuple(shown_lines(found, short=True))
