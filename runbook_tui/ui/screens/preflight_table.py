"""What a run needs to be reached, and whether it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from runbook_tui.ui.backend import Check
from state.status import StepStatus
from widgets.rows import Painted, Row, cut, glyphs_of, spread, text
from widgets.safe import safe

MOST_CHECKS = 7
"""Rows of the preflight."""


class PreflightTable(Painted, can_focus=True):
    """What the run needs: what blocks first, then what warns, then the rest in one row."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "again", show=False)]

    class Again(Message):
        """Check again."""

    def __init__(self) -> None:
        super().__init__(id="preflight")
        self.checks: tuple[Check, ...] = ()

    def show(self, checks: Sequence[Check]) -> None:
        """Show these checks."""
        self.checks = tuple(checks)
        self.styles.height = max(1, min(len(self.lines(80)), MOST_CHECKS))
        self.repaint()

    def lines(self, width: int) -> list[Row]:
        """Return all rows."""
        glyphs, rows = glyphs_of(self), list[Row]()
        marks = {
            "blocks": (glyphs.marks[StepStatus.FAILED], "bold reverse $rb-bad"),
            "warns": ("!", "bold reverse $rb-ask"),
        }
        for level, (mark, style) in marks.items():
            for check in (each for each in self.checks if each.level == level):
                left = text(" ", (mark, style), " ") + safe(f"{check.name:<26} {check.sentence}")
                rows.append(Row(spread(left, text((level, "bold"), " "), width, glyphs)))
                if check.mend:
                    mend = cut(safe(f"Mend: {check.mend}"), width - 5, glyphs)
                    rows.append(Row(text("   ") + mend))
        good = [check.name for check in self.checks if check.level == "good"]
        if good:
            done = (glyphs.marks[StepStatus.SUCCEEDED], "$rb-ok")
            names = text(" ", done, " ") + safe(", ".join(good))
            rows.append(Row(spread(names, text("all reached "), width, glyphs)))
        return rows

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the visible rows."""
        return self.lines(width)[:height]

    def action_again(self) -> None:
        """Check again."""
        self.post_message(self.Again())
