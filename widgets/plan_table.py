"""What a run would do: each step with what is already there, found by looking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType

from state.status import StepStatus
from widgets.glyphs import MARK_STYLES
from widgets.rows import Painted, Row, cut, glyphs_of, spread, text
from widgets.safe import safe


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One step of the plan. `will` is a word or two: `will create`, `is there`, `you type`."""

    id: str
    name: str
    mark: StepStatus | None
    found: str
    will: str
    usual: str = ""
    details: tuple[str, ...] = ()


class PlanTable(Painted, can_focus=True):
    """The plan; lines unfold to what was found."""

    DEFAULT_CSS = "PlanTable { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("g,home", "move(-100000)", show=False),
        Binding("G,end", "move(100000)", show=False),
        Binding("right,l", "unfold(True)", show=False),
        Binding("left,h", "unfold(False)", show=False),
        Binding("enter", "turn", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._lines: tuple[PlanLine, ...] = ()
        self._current = 0
        self._top = 0
        self._open: set[str] = set()

    def show(self, lines: Sequence[PlanLine]) -> None:
        """Show this plan."""
        if tuple(lines) != self._lines:
            self._lines = tuple(lines)
            self._current = min(self._current, max(0, len(self._lines) - 1))
            self.repaint()

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the visible rows."""
        rows: list[Row] = []
        first = last = 0
        for place, line in enumerate(self._lines):
            if place == self._current:
                first = len(rows)
            rows.append(self._row(line, width, chosen=place == self._current))
            if line.id in self._open:
                lead = text("     ")
                rows += [
                    Row(lead + cut(safe(each), width - 6, glyphs_of(self)), "$rb-muted")
                    for each in line.details
                ]
            if place == self._current:
                last = len(rows)
        self._top = min(max(self._top, last - height), first, max(0, len(rows) - height))
        return rows[self._top : self._top + height]

    def _row(self, line: PlanLine, width: int, *, chosen: bool) -> Row:
        glyphs = glyphs_of(self)
        mark = text(" ")
        if line.mark is not None:
            mark = text((glyphs.marks[line.mark], MARK_STYLES[line.mark]))
        name_room = max(20, min(40, (width - 22) // 2))
        name = cut(safe(line.name), name_room, glyphs)
        left = text(" ") + mark + text(" ") + name + text(" " * (name_room - name.cell_length + 1))
        right = text((f"{line.will:>12}", ""), (f" {line.usual:>6}", "$rb-muted"), " ")
        body = spread(left + safe(line.found), right, width, glyphs)
        return Row(body, "on $rb-select" if chosen and self.has_focus else "")

    def on_focus(self) -> None:
        """Draw the current line on the select colour."""
        self.repaint()

    def on_blur(self) -> None:
        """Draw it as the others."""
        self.repaint()

    def action_move(self, lines: int) -> None:
        """Go up or down."""
        self._current = min(max(self._current + lines, 0), max(0, len(self._lines) - 1))
        self.repaint()

    def action_page(self, pages: int) -> None:
        """Go up or down by screens."""
        self.action_move(pages * max(1, self.size.height - 1))

    def action_unfold(self, unfold: bool) -> None:
        """Show or hide what was found for the current line."""
        if self._lines:
            (self._open.add if unfold else self._open.discard)(self._lines[self._current].id)
            self.repaint()

    def action_turn(self) -> None:
        """Show what is hidden, hide what is shown."""
        if self._lines:
            self.action_unfold(self._lines[self._current].id not in self._open)
