"""One row of tabs, the current one in brackets."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.message import Message

from widgets.rows import Painted, Row, crop, text

Tab = tuple[str, str, str]
"""Key, full name, short name."""


class TabRow(Painted):
    """The tabs of a pane; full names where there is room."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, tabs: tuple[Tab, ...], current: str) -> None:
        super().__init__()
        self._tabs = tabs
        self._current = current
        self._places: list[tuple[int, int, str]] = []

    def show(self, current: str) -> None:
        """Mark another tab."""
        if current != self._current:
            self._current = current
            self.repaint()

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the row."""
        long = sum(cell_len(name) + 5 for _, name, _ in self._tabs) <= width + 1
        content, self._places, column = text(" "), [], 1
        for key, name, short in self._tabs:
            label = f"{key} {name if long else short}"
            chosen = key == self._current
            piece = text((f"[{label}]", "reverse")) if chosen else text(f" {label} ")
            self._places.append((column, column + piece.cell_length, key))
            column += piece.cell_length
            content += piece
        return [Row(crop(content, width))]

    def on_click(self, event: events.Click) -> None:
        """Choose the tab under the pointer."""
        for start, end, key in self._places:
            if start <= event.x < end:
                self.post_message(self.Chosen(key))
