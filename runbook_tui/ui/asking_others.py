"""A question that others must approve: what is said of it while it is open, and after. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from runbook_tui.engine import approvals
from runbook_tui.ui.clock import between, local
from runbook_tui.ui.labels import labelled
from runbook_tui.ui.scene import Scene
from state.run_state import Answered, Question, RunState
from widgets.choices import Choice
from widgets.durations import lasting
from widgets.safe import safe

if TYPE_CHECKING:
    from runbook_tui.engine.attending import Online

REMIND = Choice("remind others", "Remind them")
TAKE_BACK = Choice(
    "take back",
    "Withdraw the question",
    reason="required",
    prompt="Why withdraw it",
)
"""What whoever asked may do meanwhile. The values are no names that a runbook can give."""


def bar_lines(question: Question, scene: Scene) -> tuple[Content, ...]:
    """Return what the bar of whoever asked says: for whom it waits, and how they do it."""
    waited = lasting(between(question.asked_at, None, scene.now) or 0.0)
    return (
        safe(f"Waiting {waited} for {approvals.whose(question)}; {_so_far(question)}."),
        safe(f"Online now: {_online(scene)}{_reminded(question, scene)}"),
        safe(f"They run:  runbook watch {scene.state.run}  and press  d  then  y"),
    )


def pane_lines(question: Question, scene: Scene) -> Iterator[Content]:
    """Yield what the step's pane says: who asked, who may say yes, who did, who is there."""
    by = f"{scene.state.driver}@{scene.state.driver_host}"
    yield labelled("Asked", f"{local(question.asked_at)} by {by}")
    yield labelled("May say yes", approvals.whose(question))
    for one in question.approvals:
        said = f": {one.reason}" if one.reason else ""
        who = f"{one.operator}@{one.host} ({one.identity})"
        yield labelled("Said yes", f"{who} {local(one.at)}{said}")
    if scene.driving:
        yield labelled("Online now", _online(scene))
    for at in question.reminders[-1:]:
        yield labelled("Reminded", local(at))


def _so_far(question: Question) -> str:
    given = ", ".join(f"{one.operator}@{one.host}" for one in question.approvals)
    of = f"{len(question.approvals)} of {approvals.needed(question)}"
    return f"{of} said yes: {given}" if given else f"{of} said yes"


def _online(scene: Scene) -> str:
    if scene.online is None:
        return "not known yet"
    return ", ".join(map(_watching, _may_first(scene.online))) or "nobody watches"


def _may_first(online: Sequence[Online]) -> list[Online]:
    return sorted(online, key=lambda one: bool(one.barred))


def _watching(one: Online) -> str:
    name = one.name if one.name == one.identity else f"{one.name} as {one.identity}"
    return f"{name} (watching, may not)" if one.barred else f"{name} (watching)"


def _reminded(question: Question, scene: Scene) -> str:
    if not question.reminders:
        return ""
    return f" {scene.glyphs.dot} reminded {local(question.reminders[-1])}"


def closed(before: RunState, after: RunState) -> str:
    """Return how a question for approval has come to its end between two states; empty: none has.

    Says by whom and when.
    """
    for question in before.questions:
        answer = after.answered.get(question.id)
        if question.asks == approvals.ASKS and question.step is not None and answer is not None:
            return f"{after.steps[question.step].name}: {_ending(answer)}"
    return ""


def _ending(answer: Answered) -> str:
    by = f"{answer.operator}@{answer.host}"
    why = f": {answer.reason}" if answer.reason else ""
    if answer.choice is None:
        return f"the question was withdrawn at {local(answer.at)}, {answer.reason}"
    if answer.choice in (approvals.APPROVE, approvals.DENY):
        return f"{answer.reason}, {local(answer.at)}"
    return f"{by} chose to {answer.choice} at {local(answer.at)}{why}"
