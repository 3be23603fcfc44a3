"""The choices of a question: the marked one in brackets, the key of each before it.

The letters work here and nowhere else; enter takes what is marked, which at first is what is safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from widgets.rows import Painted, Row, cut, glyphs_of, text
from widgets.safe import safe

SECOND_COLUMN = 34
"""Cells before the second column at 80; wider bars have wider columns."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be decided. The first of a question is the safe one: it changes nothing.

    `reason`: whether a line of words is asked for. `again` is a second question before it is done;
    its confirming key is always another one (`y`), and so its own key is never `y` then.
    """

    value: str
    label: str
    key: str = ""
    reason: Literal["", "optional", "required"] = ""
    prompt: str = "Reason"
    again: str = ""
    do: str = "Do it"
    """What the confirming choice of the second question says."""


class Choices(Painted, can_focus=True):
    """Choices in one row, or in two columns when there are more than fit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", show=False),
        Binding("right,l", "step(1)", show=False),
        Binding("up,k", "row(-1)", show=False),
        Binding("down,j", "row(1)", show=False),
        Binding("enter", "take", show=False),
        Binding("escape", "leave", show=False),
    ]

    class Taken(Message):
        """A choice was taken by enter or by its letter."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    class Left(Message):
        """Escape: back to where the focus was."""

    def __init__(self) -> None:
        super().__init__()
        self._choices: tuple[Choice, ...] = ()
        self._marked = 0

    @property
    def marked(self) -> Choice | None:
        """What enter takes."""
        return self._choices[self._marked] if self._choices else None

    def show(self, choices: tuple[Choice, ...]) -> None:
        """Show these, the safe one marked."""
        self._choices, self._marked = choices, 0
        self.styles.height = self.rows_for(choices, self._width())
        self.repaint()

    def on_resize(self) -> None:
        """Take as many rows as the width asks for."""
        self.styles.height = self.rows_for(self._choices, self._width())

    def _width(self) -> int:
        return self.size.width or self.app.size.width

    def mark_safe(self) -> None:
        """Mark the first choice again."""
        self._marked = 0
        self.repaint()

    @staticmethod
    def rows_for(choices: tuple[Choice, ...], width: int) -> int:
        """Return how many rows the choices take."""
        if not choices:
            return 0
        return 1 if _one_row(choices, width) else (len(choices) + 1) // 2

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the rows."""
        cells = [self._cell(place) for place in range(len(self._choices))]
        if _one_row(self._choices, width):
            return [Row(text(" ") + text("   ").join(cells))]
        column = max(SECOND_COLUMN, width // 2 - 6) if width >= 70 else width // 2
        rows = []
        for first in range(0, len(cells), 2):
            alone = first == len(cells) - 1
            left = cut(cells[first], width - 2 if alone else column, glyphs_of(self))
            row = text(" ") + left + text(" " * max(0, column - left.cell_length))
            for cell in cells[first + 1 : first + 2]:
                row += cut(cell, width - column - 2, glyphs_of(self))
            rows.append(Row(row))
        return rows

    def _cell(self, place: int) -> Content:
        choice = self._choices[place]
        label = _label(choice)
        if place != self._marked:
            return text(" ") + label + text(" ")
        whole = text("[") + label + text("]")
        return whole.stylize("reverse") if self.has_focus else whole.stylize("bold")

    def on_focus(self) -> None:
        """Draw the marked choice reverse."""
        self.repaint()

    def on_blur(self) -> None:
        """Draw it bold only."""
        self.repaint()

    def action_step(self, places: int) -> None:
        """Mark the next or previous choice."""
        if self._choices:
            self._marked = (self._marked + places) % len(self._choices)
            self.repaint()

    def action_row(self, rows: int) -> None:
        """Mark the choice below or above."""
        step = 1 if _one_row(self._choices, self.size.width) else 2
        place = self._marked + rows * step
        if 0 <= place < len(self._choices):
            self._marked = place
            self.repaint()

    def action_take(self) -> None:
        """Take the marked choice."""
        if self.marked is not None:
            self.post_message(self.Taken(self.marked))

    def action_leave(self) -> None:
        """Go back."""
        self.post_message(self.Left())

    def on_key(self, event: events.Key) -> None:
        """Take the choice whose letter was pressed."""
        for choice in self._choices:
            if choice.key and event.character == choice.key:
                event.stop()
                event.prevent_default()
                self.post_message(self.Taken(choice))
                return


def _label(choice: Choice) -> Content:
    label = safe(choice.label)
    return text((choice.key, "bold $rb-run"), " ") + label if choice.key else label


def _one_row(choices: tuple[Choice, ...], width: int) -> bool:
    if len(choices) > 3:
        return False
    return sum(_label(choice).cell_length + 5 for choice in choices) - 3 <= width - 2
