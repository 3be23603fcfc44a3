"""A secret that a step needs and that is kept nowhere: typed, used, never shown or journaled."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from runbook_tui.ui.screens.dialogs import Box
from widgets.field import Field
from widgets.rows import text
from widgets.safe import safe


class SecretScreen(ModalScreen[str | None]):
    """Returns what was typed, or None."""

    DEFAULT_CSS = """
    SecretScreen { align: center middle; background: $rb-background 40%; }
    SecretScreen > Vertical {
        width: 58; height: auto; padding: 1 1 0 1; border: heavy $rb-focus;
        background: $rb-surface; color: $rb-foreground;
        border-title-color: $rb-foreground; border-title-style: bold;
    }
    """

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        """What is asked for, and the field."""
        with Vertical() as box:
            box.border_title = "A secret is needed"
            yield Box((safe(self._words),), 54)
            yield Field(password=True, boxed=True)
            yield Box((text("enter uses it   esc gives none: the step fails"),), 54)

    def on_mount(self) -> None:
        """Into the field."""
        self.query_one(Field).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Use it."""
        event.stop()
        self.dismiss(event.value or None)

    def on_field_left(self, event: Field.Left) -> None:
        """Give none."""
        event.stop()
        self.dismiss(None)
