"""The row where the environment of a run is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from widgets.rows import EMPTY, Painted, Row, glyphs_of, spread, text
from widgets.run_header import badge


class EnvironmentRow(Painted, can_focus=True):
    """The environment; left and right choose another one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "choose(-1)", show=False),
        Binding("right,l,space", "choose(1)", show=False),
    ]

    class Chosen(Message):
        """Another environment."""

        def __init__(self, name: str | None) -> None:
            super().__init__()
            self.name = name

    def __init__(self, environments: Sequence[tuple[str, bool]], current: str | None) -> None:
        super().__init__(id="environment")
        self._environments = tuple(environments)
        names = [name for name, _ in environments]
        self._place = names.index(current) if current in names else -1

    @property
    def current(self) -> tuple[str, bool] | None:
        """Name of the environment, and whether it is protected."""
        return self._environments[self._place] if self._place >= 0 else None

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the row."""
        left = text(" ", ("Environment  ", "bold"))
        if self.current is None:
            left += text(("choose one with ← →", "bold $rb-ask"))
        else:
            name, protected = self.current
            left += badge(name, protected=protected, filled=protected)
            left += text("  protected: its name must be typed") if protected else EMPTY
        count = f"{self._place + 1} of {len(self._environments)}  ← →" if self.has_focus else ""
        right = text((count, "$rb-muted"), " ")
        return [Row(spread(left, right, width, glyphs_of(self)), "on $rb-select" * self.has_focus)]

    def on_focus(self) -> None:
        """Draw the row on the select colour."""
        self.repaint()

    def on_blur(self) -> None:
        """Draw it plain."""
        self.repaint()

    def action_choose(self, step: int) -> None:
        """Choose another one."""
        if self._environments:
            self._place = (self._place + step) % len(self._environments)
            self.repaint()
            self.post_message(self.Chosen(self._environments[self._place][0]))
