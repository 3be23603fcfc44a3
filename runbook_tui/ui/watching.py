"""What somebody who watches sees in the bar, and may decide there: approve, refuse, take over."""

from __future__ import annotations

from dataclasses import dataclass

from runbook_tui.engine import approvals
from runbook_tui.ui.clock import local
from runbook_tui.ui.labels import shown_lines
from runbook_tui.ui.scene import Scene
from state.run_state import Question, RunState
from widgets.ask import Ask, Now
from widgets.choices import Choice
from widgets.rows import EMPTY, text
from widgets.safe import safe

WATCH = "watch"
"""The id of what a watcher may decide."""

VOTE = "vote"
"""The id of the same while others are asked to approve something."""

TAKE_OVER = Choice("take_over", "Take over …", "t", reason="required", prompt="Why")


@dataclass(frozen=True, slots=True)
class Call:
    """What calls a watcher: words for a notice, and an id, another one for each reminder."""

    id: str
    words: str


def now_bar(scene: Scene, said: str = "") -> Now:
    """Return what the bar says; `said` comes first: what has ended, or why nobody drives here."""
    who = scene.driven.who if scene.driven else "nobody"
    seen = f", {scene.driven.seen}" if scene.driven else ""
    lines = [(safe(words), EMPTY) for words in (said,) if words]
    lines.append((safe(f"{who} drives{seen}. You can read, search and note."), EMPTY))
    question = asks_approval(scene.state)
    if question is not None and question.step is not None:
        lines.append((safe(_waits(scene, question, question.step)), EMPTY))
    elif not said:
        name = who.partition("@")[0]
        how = f"({name} is asked first and has 30 s; a reason is required)"
        lines.append((safe(f"d  take over …   {how}"), EMPTY))
    return Now(text("Watching: read only"), tuple(lines))


def _waits(scene: Scene, question: Question, step: str) -> str:
    what = scene.state.steps[step].name
    if _barred(scene):
        return f"{what} waits for others to approve it."
    reminds = ""
    if question.reminders:
        reminds = f"{scene.state.driver} reminds you ({local(question.reminders[-1])}): "
    return f"{reminds}{what} waits for an approval: d, then y if you approve it."


def _barred(scene: Scene) -> str:
    return scene.driven.barred if scene.driven is not None else ""


def calls(scene: Scene) -> Call | None:
    """Return what calls whoever looks on: a question that they may approve, or a reminder of it."""
    question = asks_approval(scene.state)
    if question is None or scene.driving or scene.driven is None or scene.driven.barred:
        return None
    often = len(question.reminders)
    by = f"{scene.state.driver} reminds you: " if often else ""
    return Call(f"{question.id}/{often}", f"{by}approve {question.text}")


def replaced(state: RunState) -> str:
    """Return what a driver that was replaced is told, once that is in the journal."""
    by = state.replaced
    if by is None:
        return ""
    return f'{by.by}@{by.host} took over at {local(by.at)}: "{by.reason}". You are watching now.'


def asks_approval(state: RunState) -> Question | None:
    """Return the open question that others must approve, if there is one."""
    return approvals.open_question(state)


def ask(scene: Scene) -> Ask:
    """Return what a watcher may decide now."""
    question = asks_approval(scene.state)
    name = scene.driven.who.partition("@")[0] if scene.driven else "nobody"
    if question is None or question.step is None:
        return _take_over(scene, name)
    given = len(question.approvals)
    asked = f"{scene.state.driver} asked at {local(question.asked_at)}"
    rows = {key: question.shown[key] for key in ("rows",) if key in question.shown}
    lines = [safe(f"{asked}; {given} of {approvals.needed(question)} said yes so far.")]
    votes: tuple[Choice, ...] = (
        Choice(f"approve {question.step}", "Approve", "y"),
        Choice(
            f"deny {question.step}", "Refuse, with a reason", reason="required", prompt="Why not"
        ),
    )
    if _barred(scene):
        lines.append(safe(f"{_barred(scene)}."))
        votes = ()
    return Ask(
        VOTE,
        safe(f"Approve: {question.text}"),
        tuple(lines),
        (Choice("", "Not yet"), *votes, TAKE_OVER),
        rows=tuple(shown_lines(rows, short=True)),
    )


def _take_over(scene: Scene, name: str) -> Ask:
    """Return the question whether to take over: `y`, as `t` has led here."""
    running = [stands.name for stands, _ in scene.state.open_attempts()]
    untouched = f"{', '.join(running)} is not touched. " if running else ""
    driven = scene.driven
    since = f" since {local(driven.since)}" if driven is not None and driven.since else ""
    drives = f"{driven.who} drives{since}, {driven.seen}. " if driven is not None else ""
    return Ask(
        WATCH,
        safe(f"Take over run {scene.state.run} from {name}?"),
        (
            safe(f"{drives}{untouched}"),
            safe(f"{name}'s screen becomes read only and says who took over and why."),
        ),
        (
            Choice("", "Keep watching"),
            Choice(
                "take_over",
                f"Ask {name}, then take over (30 s without an answer)",
                "y",
                reason="required",
                prompt="Why",
            ),
        ),
    )
