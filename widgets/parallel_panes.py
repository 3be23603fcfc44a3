"""Several steps at once: each with a title rule and the end of its output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from state.status import StepStatus
from widgets.glyphs import MARK_STYLES
from widgets.rows import Painted, Row, crop, glyphs_of, rule, text
from widgets.safe import safe

SIDE_BY_SIDE = 70
"""Cells from which two parts stand side by side: a line of output needs some 35."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the steps: its name, how it stands in words, its last lines."""

    id: str
    name: str
    status: StepStatus
    right: str
    last: tuple[str, ...]


class ParallelPanes(Painted, can_focus=True):
    """Parts below each other, or side by side; enter opens one in full."""

    DEFAULT_CSS = "ParallelPanes { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h,up,k", "move(-1)", show=False),
        Binding("right,l,down,j", "move(1)", show=False),
        Binding("enter", "open", show=False),
    ]

    class Opened(Message):
        """Enter on a part."""

        def __init__(self, step: str) -> None:
            super().__init__()
            self.step = step

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._parts: tuple[Part, ...] = ()
        self._current = ""

    def show(self, parts: Sequence[Part]) -> None:
        """Show these parts; at first the one in trouble is the current one."""
        if tuple(parts) == self._parts:
            return
        self._parts = tuple(parts)
        if self._current not in {part.id for part in parts}:
            trouble = [part for part in parts if part.status is StepStatus.FAILED]
            self._current = (trouble or list(parts))[0].id if parts else ""
        self.repaint()

    def _place(self) -> int:
        return next((i for i, part in enumerate(self._parts) if part.id == self._current), 0)

    def rows(self, width: int, height: int) -> list[Row]:
        """Return as many rows of each part as the height allows; two side by side where wide."""
        columns = 2 if width >= SIDE_BY_SIDE and len(self._parts) > 1 else 1
        bands = [self._parts[i : i + columns] for i in range(0, len(self._parts), columns)]
        each = max(2, (height - 1) // max(1, len(bands)))
        rows: list[Row] = []
        for band in bands:
            if columns == 1:
                rows += [Row(line) for line in self._part(band[0], width, each)]
            else:
                rows += self._beside(band, width, each)
        return rows[:height]

    def _beside(self, band: Sequence[Part], width: int, height: int) -> list[Row]:
        bar = text((glyphs_of(self).bar, "$rb-border"))
        left = (width - 1) // 2
        first = self._part(band[0], left, height)
        rest = width - left - 1
        second = self._part(band[1], rest, height) if len(band) > 1 else [text()] * height
        return [
            Row(one + text(" " * (left - one.cell_length)) + bar + other)
            for one, other in zip(first, second, strict=True)
        ]

    def _part(self, part: Part, width: int, height: int) -> list[Content]:
        """Return the title rule of a part and the end of its output, `height` rows in all."""
        glyphs = glyphs_of(self)
        mark = text((glyphs.marks[part.status], MARK_STYLES[part.status]), " ")
        current = self.has_focus and part.id == self._current
        name = safe(part.name).stylize("bold reverse" if current else "bold")
        right = text((part.right, "$rb-muted"))
        last = part.last[-(height - 1) :] if height > 1 else ()
        lines = [text("  ") + crop(safe(line), width - 3) for line in last]
        blank = [text()] * (height - 1 - len(lines))
        return [rule(mark + name, right, width, glyphs), *lines, *blank]

    def on_focus(self) -> None:
        """Mark the current part."""
        self.repaint()

    def on_blur(self) -> None:
        """Mark none."""
        self.repaint()

    def action_move(self, parts: int) -> None:
        """Make the next or previous part the current one."""
        if self._parts:
            place = min(max(self._place() + parts, 0), len(self._parts) - 1)
            self._current = self._parts[place].id
            self.repaint()

    def action_open(self) -> None:
        """Open the current part."""
        if self._current:
            self.post_message(self.Opened(self._current))
