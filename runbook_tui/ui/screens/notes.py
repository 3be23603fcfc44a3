"""Notes of a run: what was written, newest first, and a field for a new one."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import TextArea

from state.run_state import StepState
from widgets.bar_text import Label
from widgets.rows import Painted, Row, text
from widgets.safe import safe
from widgets.text_pane import Section, TextPane


class NoteArea(TextArea):
    """The draft of a note; escape leaves it, the draft stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("tab", "to_save", show=False, priority=True),
    ]

    class Left(Message):
        """Escape was pressed."""

    def action_leave(self) -> None:
        """Hand the focus back."""
        self.post_message(self.Left())

    def action_to_save(self) -> None:
        """Go to Save."""
        for save in self.screen.query(Save):
            save.focus()


class Save(Painted, can_focus=True):
    """Enter here writes the note."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "save", show=False),
        Binding("escape", "leave", show=False),
    ]

    class Pressed(Message):
        """Enter was pressed."""

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the button, in brackets while it has the focus."""
        label = text(("[Save the note]", "reverse")) if self.has_focus else text(" Save the note ")
        return [Row(text(" ") + label)]

    def on_focus(self) -> None:
        """Draw the brackets."""
        self.repaint()

    def on_blur(self) -> None:
        """Take them away."""
        self.repaint()

    def action_save(self) -> None:
        """Write it."""
        self.post_message(self.Pressed())

    def action_leave(self) -> None:
        """Hand the focus back."""
        self.post_message(NoteArea.Left())


class NotesPane(Vertical):
    """The notes and the field."""

    DEFAULT_CSS = """
    NotesPane { height: 1fr; }
    NotesPane TextPane { height: 1fr; }
    NotesPane TextArea, NotesPane TextArea:focus {
        height: 4; border: round $rb-border; margin: 0 1; padding: 0 1;
        background: $rb-background; color: $rb-foreground;
    }
    NotesPane TextArea:focus { border: round $rb-focus; }
    """

    class Written(Message):
        """A note is to be kept."""

        def __init__(self, step: str | None, words: str) -> None:
            super().__init__()
            self.step = step
            self.words = words

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.reading = TextPane()
        self.area = NoteArea(compact=True, show_line_numbers=False, highlight_cursor_line=False)
        self.area.cursor_blink = False
        self._head = Label()
        self._foot = Label()
        self._step: str | None = None

    def compose(self) -> ComposeResult:
        """The notes above the field."""
        yield self.reading
        yield self._head
        yield self.area
        yield Save()
        yield self._foot

    def show_notes(self, section: Section, step: str, stands: StepState | None) -> None:
        """Show the notes; a new one will be on this step."""
        self.reading.show((section,))
        self._step = step if stands is not None else None
        on = safe(stands.name) if stands is not None else text("the run")
        self._head.show(text(" New note   on  ") + on)
        self._foot.show(text((" Goes into the journal: can be added to, not edited", "$rb-muted")))

    def on_save_pressed(self, event: Save.Pressed) -> None:
        """Keep the note, if there is one."""
        event.stop()
        words = self.area.text.strip()
        if words:
            self.area.text = ""
            self.post_message(self.Written(self._step, words))
