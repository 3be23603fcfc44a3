"""Charts of a monitor: one a measure, blocks with a limit line, values and breaches in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from widgets.glyphs import Glyphs
from widgets.rows import Painted, Row, glyphs_of, spread, text
from widgets.safe import safe


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured thing. `points` are (seconds since the epoch, value), oldest first.

    `over` counts the latest breaches in a row, `allowed` how many of them end the step.
    """

    name: str
    unit: str
    points: tuple[tuple[float, float], ...]
    limit: float | None = None
    over: int = 0
    allowed: int = 0


def number(value: float) -> str:
    """Return a value in at most four digits."""
    if value == int(value) and abs(value) < 10000:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"


def chart_rows(measure: Measure, width: int, glyphs: Glyphs, back: int = 0) -> list[Content]:
    """Return the five rows of one measure; `back` hides that many of the latest samples."""
    points = measure.points[: len(measure.points) - back] if back else measure.points
    rows = [_head(measure, points, width)]
    lead = 6
    room = max(8, width - lead - 7)
    shown = points[-room:]
    top = max([value for _, value in shown] + [(measure.limit or 0.0) * 1.2, 1e-9])
    levels = len(glyphs.bars)
    for row in (2, 1, 0):
        low, high = top * row / 3, top * (row + 1) / 3
        limit_here = measure.limit is not None and low <= measure.limit < high
        stands = measure.limit if limit_here and measure.limit is not None else low
        label = f"{number(stands):>5} "
        body = text()
        for _, value in shown:
            part = min(max((value - low) / (high - low), 0.0), 1.0)
            level = round(part * levels)
            if level == 0 and row == 0 and value >= 0:
                level = 1
            over = measure.limit is not None and value > measure.limit
            style = "bold $rb-bad" if over else "$rb-run"
            blank = (glyphs.limit, "$rb-border") if limit_here else (" ", "")
            body += text((glyphs.bars[level - 1], style) if level else blank)
        if limit_here:
            rest = max(0, room - len(shown))
            body += text((glyphs.limit * rest + " limit", "$rb-muted"))
        rows.append(text((label, "$rb-muted")) + body)
    rows.append(_axis(shown, lead, room))
    return rows


def _head(measure: Measure, points: Sequence[tuple[float, float]], width: int) -> Content:
    value = f"{number(points[-1][1])} {measure.unit}".strip() if points else "no sample yet"
    left = safe(f"{measure.name:<10}  ").stylize("bold") + safe(value)
    if measure.limit is None:
        return spread(left, text(), width)
    left += safe(f"   limit {number(measure.limit)} {measure.unit}".rstrip()).stylize("$rb-muted")
    if measure.over:
        right = text((f"OVER, {measure.over} of {measure.allowed}", "bold reverse $rb-bad"), " ")
    else:
        right = text(("ok", "$rb-ok"), " ")
    return spread(left, right, width)


def _axis(shown: Sequence[tuple[float, float]], lead: int, room: int) -> Content:
    if not shown:
        return text()
    first, last = (datetime.fromtimestamp(shown[end][0]).astimezone() for end in (0, -1))
    start = " " * lead + first.strftime("%H:%M:%S")
    if len(shown) < 20:
        return text((start, "$rb-muted"))
    gap = max(1, min(len(shown), room) - 16)
    return text((start + " " * gap + last.strftime("%H:%M:%S"), "$rb-muted"))


class MonitorChart(Painted, can_focus=True):
    """All measures of a monitor, then what was said about breaches."""

    DEFAULT_CSS = "MonitorChart { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(10)", show=False),
        Binding("right,l", "move(-10)", show=False),
        Binding("down,j", "first(1)", show=False),
        Binding("up,k", "first(-1)", show=False),
        Binding("end,G,F", "latest", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._measures: tuple[Measure, ...] = ()
        self._lines: tuple[str, ...] = ()
        self._back = 0
        self._first = 0

    def show(self, measures: tuple[Measure, ...], lines: tuple[str, ...]) -> None:
        """Show these measures; `lines` (newest first) stand below."""
        if (measures, lines) != (self._measures, self._lines):
            self._measures, self._lines = measures, lines
            self.repaint()

    def rows(self, width: int, height: int) -> list[Row]:
        """Return charts, then lines."""
        glyphs, rows = glyphs_of(self), list[Row]()
        inner = max(20, width - 2)
        for measure in self._measures[self._first :]:
            rows += [Row(text(" ") + row) for row in chart_rows(measure, inner, glyphs, self._back)]
        if not self._measures:
            rows.append(Row(text((" No sample yet.", "$rb-muted"))))
        rows.append(Row(text()))
        rows += [Row(text(" ") + safe(line)) for line in self._lines]
        return rows[:height]

    def action_move(self, samples: int) -> None:
        """Look at earlier or later samples."""
        most = max((len(measure.points) for measure in self._measures), default=1) - 1
        self._back = max(0, min(self._back + samples, most))
        self.repaint()

    def action_first(self, measures: int) -> None:
        """Begin with another measure."""
        self._first = max(0, min(self._first + measures, len(self._measures) - 1))
        self.repaint()

    def action_latest(self) -> None:
        """Go back to the latest sample."""
        self._back = 0
        self.repaint()
