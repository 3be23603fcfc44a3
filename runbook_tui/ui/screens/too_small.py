"""What stands on a terminal that is too small; the run below goes on."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from runbook_tui.ui.sizes import LEAST
from widgets.rows import Painted, Row, cut, glyphs_of, text
from widgets.run_header import badge
from widgets.safe import safe


class SmallBox(Painted):
    """The words of the screen."""

    DEFAULT_CSS = "SmallBox { height: 1fr; }"

    def __init__(self, place: str, protected: bool, what: str, run: str) -> None:
        super().__init__()
        self._place, self._protected, self._what, self._run = place, protected, what, run

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the words."""
        columns, lines = self.app.size
        rows = [
            text((f" Too small: {columns}×{lines}", "bold")),
            text(),
            text(f" This needs {LEAST[0]} columns and {LEAST[1]} rows."),
            text(f" Yours: {columns} and {lines}. Enlarge the"),
            text(" window, or use a smaller font."),
            text(),
        ]
        if self._what:
            rows += [
                text(" ") + badge(self._place, protected=self._protected) + safe(f" {self._what}"),
                text(" The run goes on."),
                text(),
            ]
        if self._run:
            rows += [
                text(" Without a screen this size:"),
                safe(f" runbook resume {self._run} --headless"),
                text(),
            ]
        rows.append(text((" q", "bold $rb-run"), " leave"))
        return [Row(cut(row, width, glyphs_of(self))) for row in rows[:height]]


class TooSmall(ModalScreen[None]):
    """Lies over everything until the terminal is large enough."""

    DEFAULT_CSS = "TooSmall { background: $rb-background; color: $rb-foreground; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "leave", show=False)]

    def __init__(
        self, place: str = "", protected: bool = False, what: str = "", run: str = ""
    ) -> None:
        super().__init__()
        self._box = SmallBox(place, protected, what, run)
        self._going = False

    def compose(self) -> ComposeResult:
        """The box."""
        yield self._box

    def on_resize(self) -> None:
        """Go when there is room; else say the new size."""
        columns, rows = self.app.size
        if columns >= LEAST[0] and rows >= LEAST[1]:
            if not self._going:
                self._going = True
                self.dismiss(None)
        else:
            self._box.repaint()

    def action_leave(self) -> None:
        """Ask the screen below."""
        self.dismiss(None)
        self.app.call_later(self.app.run_action, "leave")
