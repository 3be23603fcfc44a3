"""A one-line field: letters are text, escape leaves it, pasting can be refused in words."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from widgets.safe import plain


class Field(Input):
    """An `Input` of one row without a border. The draft stays when it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("up", "earlier", show=False),
        Binding("down", "later", show=False),
    ]
    DEFAULT_CSS = """
    Field, Field:focus {
        border: none; height: 1; padding: 0; background: transparent; color: $rb-foreground;
    }
    Field.boxed { border: round $rb-border; height: 3; padding: 0 1; margin: 0 1; }
    Field.boxed:focus { border: round $rb-focus; height: 3; padding: 0 1; }
    """

    class Left(Message):
        """Escape was pressed: whoever shows the field takes the focus back."""

        def __init__(self, field: Field) -> None:
            super().__init__()
            self.field = field

        @property
        def control(self) -> Field:
            """The field that was left."""
            return self.field

    class PasteRefused(Message):
        """Something was pasted into a field that must be typed."""

    def __init__(
        self,
        value: str = "",
        *,
        typed: bool = False,
        password: bool = False,
        boxed: bool = False,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(value, password=password, id=id, select_on_focus=False)
        self.set_class(boxed, "boxed")
        self.cursor_blink = False
        self._typed = typed
        self._history: list[str] = []
        self._place = 0

    def on_paste(self, event: events.Paste) -> None:
        """Refuse, or take the pasted text as one inert line."""
        event.prevent_default()
        event.stop()
        if self._typed:
            self.post_message(self.PasteRefused())
        else:
            self.insert_text_at_cursor(plain(" ".join(event.text.split("\n"))))

    def action_paste(self) -> None:
        """Refuse the field's own clipboard where the text must be typed."""
        if self._typed:
            self.post_message(self.PasteRefused())
        else:
            super().action_paste()

    def action_leave(self) -> None:
        """Hand the focus back; the draft stays."""
        self.post_message(self.Left(self))

    def remember(self, text: str) -> None:
        """Keep `text` for the up key."""
        if text and text not in self._history[-1:]:
            self._history.append(text)
        self._place = len(self._history)

    def action_earlier(self) -> None:
        """Show what was entered before."""
        self._recall(-1)

    def action_later(self) -> None:
        """Show what was entered after that."""
        self._recall(1)

    def _recall(self, step: int) -> None:
        place = self._place + step
        if 0 <= place < len(self._history):
            self._place = place
            self.value = self._history[place]
            self.cursor_position = len(self.value)
