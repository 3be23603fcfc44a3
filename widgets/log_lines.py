"""The visible part of a log: which lines stand on the screen, and how each is drawn.

The place is a byte offset, so that opening, jumping and following cost the same at any size.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from textual.color import Color
from textual.content import Content

from widgets.glyphs import Glyphs
from widgets.log_file import Line, LogFile
from widgets.log_index import Index, LineCount
from widgets.log_pattern import Pattern
from widgets.log_times import Times
from widgets.rows import Row, crop, text, wrap
from widgets.safe import safe

ERRORS = r"\b(error|errors|fatal|panic|traceback|exception|failed|critical)\b"
"""What marks a line as an error; words only, so `0 errors` is marked and `terror` is not."""

STAMPS = ("absolute", "relative", "off")


@dataclass(slots=True)
class Look:
    """How lines are drawn. `column` is how far the log is moved sideways, in cells."""

    stamps: str = "absolute"
    wrap: bool = False
    pretty: bool = False
    column: int = 0


class LogLines:
    """The log's file with its indexes, and the place that the screen stands at."""

    def __init__(self, path: Path, times: Path | None) -> None:
        self.file = LogFile(path)
        self.times = Times(times) if times else None
        self.count = LineCount()
        self.errors = Index(Pattern(ERRORS))
        self.search: Index | None = None
        self.filter: Index | None = None
        self.top = 0
        self.row = 0
        """Rows of the top line that are above the screen (wrapped lines)."""
        self.following = True
        self.held_at = 0
        self.hit: int | None = None

    def indexes(self) -> list[Index]:
        """Return the indexes that must be kept up, the most wanted first."""
        wanted = [self.search, self.filter, self.count, self.errors]
        return [index for index in wanted if index is not None]

    def close(self) -> None:
        """Close the files."""
        self.file.close()
        if self.times:
            self.times.close()

    def forward(self, offset: int) -> Iterator[Line]:
        """Yield the shown lines from `offset` on."""
        if self.filter is None:
            yield from self.file.forward(offset)
            return
        place = self.filter.after(self.file, offset)
        while place is not None:
            yield self.file.line_at(place)
            place = self.filter.after(self.file, place + 1)

    def backward(self, offset: int) -> Iterator[Line]:
        """Yield the shown lines before `offset`, the nearest first."""
        if self.filter is None:
            yield from self.file.backward(offset)
            return
        place = self.filter.before(self.file, offset)
        while place is not None:
            yield self.file.line_at(place)
            place = self.filter.before(self.file, place)

    def hold(self) -> None:
        """Stop following: what stands on the screen stays there."""
        if self.following:
            self.following = False
            self.held_at = self.count.total

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.following, self.hit, self.row = True, None, 0

    def number(self, offset: int) -> int | None:
        """Return a line's number, from 1; None when the index has not come there."""
        rank = self.count.rank(self.file, offset)
        return None if rank is None else rank + 1


class Drawing:
    """Turns lines into rows for one width, in the colours of one background."""

    def __init__(
        self, lines: LogLines, look: Look, width: int, background: Color, glyphs: Glyphs
    ) -> None:
        self._lines = lines
        self._look = look
        self._width = width
        self._background = background
        self._glyphs = glyphs

    def rows(self, line: Line) -> list[Content]:
        """Return the rows of one line: mark, time stamp, text."""
        lead = self._mark(line) + self._stamp(line)
        room = max(1, self._width - lead.cell_length)
        pieces = [self._body(piece) for piece in self._pieces(line)]
        rows: list[Content] = []
        for piece in pieces:
            parts = wrap(piece, room) if self._look.wrap else [self._one_row(piece, room, line)]
            for part in parts:
                rows.append((lead if not rows else Content(" " * lead.cell_length)) + part)
        return rows or [lead]

    def _pieces(self, line: Line) -> list[bytes]:
        if self._look.pretty and line.data[:1] in (b"{", b"[") and not line.cut:
            try:
                value = json.loads(line.data)
            except (ValueError, RecursionError):
                return [line.data]
            return json.dumps(value, indent=2, ensure_ascii=False).encode().splitlines()
        return [line.data]

    def _mark(self, line: Line) -> Content:
        pattern = self._lines.errors.pattern
        if pattern is not None and next(pattern.spans(line.data), None):
            mark = "X" if self._glyphs.ascii else "✗"
            return text((mark, "reverse $rb-bad"))
        return text(" ")

    def _stamp(self, line: Line) -> Content:
        times = self._lines.times
        moment = times.at(line.start) if times and self._look.stamps != "off" else None
        if times is None or moment is None:
            return text("")
        if self._look.stamps == "relative":
            first = times.at(0) or moment
            seconds = max(0, moment - first) // 1000
            return text((f"{f'+{seconds // 60}:{seconds % 60:02}':>8} ", "$rb-muted"))
        clock = datetime.fromtimestamp(moment / 1000, UTC).astimezone().strftime("%H:%M:%S")
        return text((f"{clock} ", "$rb-muted"))

    def _body(self, data: bytes) -> Content:
        content = safe(data, self._background)
        search = self._lines.search
        if search is None or search.pattern is None:
            return content
        encoded = content.plain.encode()
        before, after = self._glyphs.hit
        shown, last = Content(""), 0
        for start, end in search.pattern.spans(encoded):
            first = len(encoded[:start].decode(errors="ignore"))
            final = len(encoded[:end].decode(errors="ignore"))
            hit = text(before) + content[first:final] + text(after)
            shown += content[last:first] + hit.stylize("reverse underline")
            last = final
        return shown + content[last:] if last else content

    def _one_row(self, content: Content, room: int, line: Line) -> Content:
        if self._look.column:
            content = content[min(self._look.column, len(content.plain)) :]
        if content.cell_length <= room and not line.cut:
            return content
        return crop(content, room - 1) + text((self._glyphs.more, "bold"))


def visible(lines: LogLines, drawing: Drawing, height: int) -> list[tuple[Line, Content]]:
    """Return the rows on the screen with the lines they belong to; holds the place up to date."""
    if lines.following:
        return _last_rows(lines, drawing, height)
    shown = _fill(lines.forward(lines.top), drawing, height, skip=lines.row)
    if len(shown) < height and lines.top > 0 and not lines.row:
        return _pull_down(lines, drawing, height, shown)
    return shown


def _fill(
    source: Iterable[Line], drawing: Drawing, height: int, skip: int
) -> list[tuple[Line, Content]]:
    shown: list[tuple[Line, Content]] = []
    for line in source:
        rows = drawing.rows(line)[skip:]
        skip = 0
        shown.extend((line, row) for row in rows)
        if len(shown) >= height:
            break
    return shown[:height]


def _last_rows(lines: LogLines, drawing: Drawing, height: int) -> list[tuple[Line, Content]]:
    shown: list[tuple[Line, Content]] = []
    for line in lines.backward(lines.file.size()):
        shown = [(line, row) for row in drawing.rows(line)] + shown
        if len(shown) >= height:
            break
    shown = shown[-height:] if height else []
    if shown:
        lines.top = shown[0][0].start
        lines.row = 0
    return shown


def _pull_down(
    lines: LogLines, drawing: Drawing, height: int, shown: list[tuple[Line, Content]]
) -> list[tuple[Line, Content]]:
    """Fill an end that stands too high with the lines before it."""
    for line in lines.backward(lines.top):
        rows = [(line, row) for row in drawing.rows(line)]
        if len(rows) + len(shown) > height:
            break
        shown = rows + shown
        lines.top = line.start
    return shown


def to_rows(shown: Iterable[tuple[Line, Content]], hit: int | None) -> list[Row]:
    """Return painted rows; the line that was found stands on the select colour."""
    return [Row(content, "on $rb-select" if line.start == hit else "") for line, content in shown]
