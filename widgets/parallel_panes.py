"""Several steps at once: each with a title rule and the end of its output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from state.status import StepStatus
from widgets.glyphs import MARK_STYLES
from widgets.rows import Painted, Row, crop, glyphs_of, rule, text
from widgets.safe import safe


@dataclass(frozen=True, slots=True)
class Part:
    """One of the steps: its name, how it stands in words, its last lines."""

    id: str
    name: str
    status: StepStatus
    right: str
    last: tuple[str, ...]


class ParallelPanes(Painted, can_focus=True):
    """Parts below each other; enter opens one in full."""

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
        """Return as many rows of each part as the height allows."""
        glyphs, rows = glyphs_of(self), list[Row]()
        each = max(1, (height - 1) // max(1, len(self._parts)) - 1)
        for part in self._parts:
            mark = text((glyphs.marks[part.status], MARK_STYLES[part.status]), " ")
            name = safe(part.name).stylize(
                "bold reverse" if self.has_focus and part.id == self._current else "bold"
            )
            right = text((part.right, "$rb-muted"))
            rows.append(Row(rule(mark + name, right, width, glyphs)))
            last = part.last[-each:]
            rows += [Row(text("  ") + crop(safe(line), width - 3)) for line in last]
            rows += [Row(text())] * (each - len(last))
        return rows[:height]

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
