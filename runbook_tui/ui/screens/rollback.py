"""The plan of a rollback, and its confirmation."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from runbook_tui.ui import clock
from runbook_tui.ui.keys import READING, ROLLBACK_ACT, ROLLBACK_LOOK, TYPING, choosing
from runbook_tui.ui.labels import labelled, shown_lines
from runbook_tui.ui.screens.dialogs import HelpScreen
from state.status import StepStatus
from widgets.ask import Ask
from widgets.decision_bar import DecisionBar
from widgets.glyphs import MARK_STYLES
from widgets.key_bar import KeyBar
from widgets.rows import glyphs_of, text
from widgets.run_header import Header, RunHeader
from widgets.safe import safe
from widgets.text_pane import Section, TextPane

_SECTIONS = (
    ("undone", "Will be undone", ""),
    ("cannot", "CANNOT BE UNDONE", ""),
    ("steps", "Then", "the rollback runbook"),
    ("stays", "Stays as it is", "nothing runs it"),
)
"""What must be seen comes before what may be cut off."""


def rollback_sections(shown: dict[str, Any], mark: str) -> tuple[Section, ...]:
    """Return what a rollback would do: undone, left, and what cannot be taken back."""
    sections = []
    rest = dict(shown)
    for key, title, right in _SECTIONS:
        items = rest.pop(key, None) or ()
        if not items:
            continue
        lines: list[Content] = []
        for item in items:
            lead = text("  ")
            if key == "undone":
                lead = text((mark, MARK_STYLES[StepStatus.UNDONE]), " ")
            elif key == "cannot":
                lead = text(("!", "bold reverse $rb-unknown"), " ")
            lines.append(lead + _item(item))
        sections.append(Section(tuple(lines), text(title), right or f"{len(lines)}", indent=4))
    for name in ("run", "reason"):
        if rest.get(name):
            rest[name.capitalize()] = rest.pop(name)
    other = tuple(shown_lines(rest, short=True))
    if other:
        sections.append(Section(other, indent=12))
    return tuple(sections)


def _item(item: object) -> Content:
    if isinstance(item, dict):
        label = str(item.get("label") or item.get("name") or item.get("step") or "")
        words = str(item.get("text") or item.get("words") or item.get("reason") or "")
        return safe(f"{label:<26} ").stylize("bold") + safe(words)
    if isinstance(item, list | tuple) and len(item) == 2:
        return labelled(str(item[0]), str(item[1]), short=True)
    return safe(str(item))


class RollbackScreen(Screen[tuple[str, str] | None]):
    """Returns (choice, reason), or None for not now."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "decide", show=False),
        Binding("escape,q", "back", show=False),
        Binding("tab,shift+tab", "other", show=False),
        Binding("question_mark", "help", show=False),
    ]

    def __init__(self, header: Header, asked: Ask, shown: dict[str, Any]) -> None:
        super().__init__()
        self._header = header
        self._asked = asked
        self._shown = shown
        self._plan = TextPane()
        self.bar = DecisionBar()
        self._keys = KeyBar()

    def compose(self) -> ComposeResult:
        """Header, plan, bar."""
        yield RunHeader(self._header, clock.now_here)
        yield self._plan
        yield self.bar
        yield self._keys

    def on_mount(self) -> None:
        """The operator has asked for this: the focus goes to the field, or the safe choice."""
        glyphs = glyphs_of(self)
        self._plan.show(rollback_sections(self._shown, glyphs.marks[StepStatus.UNDONE]))
        self.bar.show_ask(self._asked)
        self.bar.enter_bar()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the keys that work where the focus is."""
        if self.bar.typing:
            self._keys.show(*TYPING)
        elif self.bar.has_the_focus:
            self._keys.show(*choosing(glyphs_of(self), log=False))
        else:
            self._keys.show(*READING)

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(HelpScreen(look=ROLLBACK_LOOK, act=ROLLBACK_ACT))

    def on_decision_bar_decided(self, event: DecisionBar.Decided) -> None:
        """Return what was decided."""
        event.stop()
        self.dismiss((event.choice, event.reason))

    def on_decision_bar_stayed(self, event: DecisionBar.Stayed) -> None:
        """Not now."""
        event.stop()
        self.dismiss(None)

    def action_decide(self) -> None:
        """Back into the bar."""
        self.bar.enter_bar()

    def action_back(self) -> None:
        """Not now."""
        self.dismiss(None)

    def action_other(self) -> None:
        """From the bar to the plan, and back."""
        if self.bar.has_the_focus:
            self._plan.focus()
        else:
            self.bar.enter_bar()
