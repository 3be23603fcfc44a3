"""The two rows on top: what, where, who, clock; then where the run stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from textual.content import Content
from textual.geometry import Region

from widgets.rows import EMPTY, Painted, Row, cut, glyphs_of, spread, text


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says. Foreign parts come as content from `safe`."""

    title: Content
    place: str = ""
    protected: bool = False
    who: str = ""
    where: Content = EMPTY
    right: Content = EMPTY
    more: Content = EMPTY
    """Shown after the title where there is room (from 140 columns)."""


def badge(place: str, *, protected: bool, filled: bool = False) -> Content:
    """Return a place: `[CAPITALS]` when protected, `(small)` otherwise."""
    if not place:
        return EMPTY
    if protected:
        style = "bold $rb-badge on $rb-protected" if filled else "bold"
        return text((f"[{place.upper()}]", style))
    return text(f"({place})")


class RunHeader(Painted):
    """The header; its clock moves once a second and paints its own cells only."""

    DEFAULT_CSS = "RunHeader { height: 2; background: $rb-surface; color: $rb-foreground; }"

    def __init__(self, header: Header, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self._header = header
        self._clock = clock
        self._time = ""

    def on_mount(self) -> None:
        """Start the clock."""
        self.set_interval(1, self._tick)

    def show(self, header: Header) -> None:
        """Show something else, if it is something else."""
        if header != self._header:
            self._header = header
            self.repaint()

    def _tick(self) -> None:
        if self._clock().strftime("%H:%M:%S") != self._time:
            self.repaint(Region(self.size.width - 10, 0, 10, 1))

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the two rows."""
        header, glyphs = self._header, glyphs_of(self)
        self._time = self._clock().strftime("%H:%M:%S")
        place = badge(header.place, protected=header.protected, filled=True)
        right = place + text(f"  {header.who}  {self._time} ")
        left = text(" ") + header.title
        if width >= 140 and header.more.plain:
            left += text("    ") + header.more
        second = text(" ") + header.where
        tail = header.right + text(" ") if header.right.plain else header.right
        return [
            Row(spread(cut(left, width, glyphs), right, width, glyphs, gap=2)),
            Row(spread(second, tail, width, glyphs, gap=2), "$rb-muted"),
        ]
