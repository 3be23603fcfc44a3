"""The only place where a key becomes a command: questions to the bar, choices to commands.

The words of the choices are the command line's; what stands on the screen is said by `answers`,
`question_words` and `menu`.
"""

from __future__ import annotations

from collections.abc import Mapping

from runbook_tui.engine.ports import Answer, Command, Remind, TakeBack
from runbook_tui.ui import asking_others, question_words
from runbook_tui.ui.answers import choices
from runbook_tui.ui.attention import questions
from runbook_tui.ui.menu import HANDING_OVER, MENU, from_menu
from runbook_tui.ui.scene import Scene
from state.run_state import Question, RunState
from widgets.ask import Ask
from widgets.safe import safe

ACTING: Mapping[str, str] = {
    "y": "say yes",
    "r": "run again",
    "v": "it is done, I checked",
    "s": "skip",
    "b": "roll back",
    "u": "undo this step",
    "x": "stop the step",
    "p": "pause after it",
    "o": "open a shell",
    "t": "hand over or take over",
    "f": "take changed files on",
    "a": "abort",
}
"""The letters that act, each only after `d`."""


def ask(scene: Scene, question: Question, place: str = "") -> Ask:
    """Return a question as the bar shows it."""
    return Ask(
        id=question.id,
        question=safe(question_words.words(scene, question)),
        rows=question_words.rows(question),
        lines=question_words.lines(scene, question),
        choices=choices(scene, question),
        typed=question.typed or "",
        value="rollback" if question.asks == "rollback" else "yes",
        place=place,
        form=question.asks == "manual",
    )


def placed(state: RunState, question: Question) -> str:
    """Return `1 of 2` when several questions are open."""
    open_ = questions(state)
    if len(open_) < 2:
        return ""
    return f"{[each.id for each in open_].index(question.id) + 1} of {len(open_)}"


def command(
    asked: Ask, choice: str, reason: str, fields: Mapping[str, str] | None = None
) -> Command:
    """Return the command that a choice stands for."""
    if asked.id in (MENU, HANDING_OVER):
        return from_menu(choice, reason)
    if choice == asking_others.REMIND.value:
        return Remind(asked.id)
    if choice == asking_others.TAKE_BACK.value:
        return TakeBack(asked.id, reason)
    given = dict(fields or {})
    if asked.typed and choice == asked.value:
        given["typed"] = asked.typed
    return Answer(asked.id, choice, "person", reason or None, given)
