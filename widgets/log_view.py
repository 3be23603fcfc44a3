"""The rows of a log on the screen, with the keys that look around in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from widgets.log_index import Index
from widgets.log_lines import STAMPS, Drawing, LogLines, Look, to_rows, visible
from widgets.rows import Painted, Row, glyphs_of
from widgets.safe import safe

NOWHERE = Path("/dev/null")
"""The log that is not there: no lines."""

MOST_COPIED = 10_000
"""Lines."""


class LogView(Painted, can_focus=True):
    """The rows of the log; its keys only look."""

    DEFAULT_CSS = "LogView { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("ctrl+d", "page(0.5)", show=False),
        Binding("ctrl+u", "page(-0.5)", show=False),
        Binding("g,home", "top", show=False),
        Binding("G,end,F", "follow", show=False),
        Binding("left,h", "sideways(-8)", show=False),
        Binding("right,l", "sideways(8)", show=False),
        Binding("w", "wrap", show=False),
        Binding("i", "stamps", show=False),
        Binding("J", "pretty", show=False),
        Binding("n", "hit(1)", show=False),
        Binding("N", "hit(-1)", show=False),
        Binding("e", "error(1)", show=False),
        Binding("E", "error(-1)", show=False),
        Binding("c", "copy", show=False),
    ]

    class Copied(Message):
        """Lines were copied, as they stand in the file."""

        def __init__(self, copied: str, lines: int) -> None:
            super().__init__()
            self.copied = copied
            self.lines = lines

    def __init__(self, moved: Callable[[], None]) -> None:
        """`moved` is called when the place or the look has changed: within the call, so that what
        else it repaints stands in the same frame.
        """
        super().__init__()
        self._moved = moved
        self.lines = LogLines(NOWHERE, None)
        self.look = Look()
        self._shown_starts: list[int] = []
        self._copied_from: int | None = None

    def rows(self, width: int, height: int) -> list[Row]:
        """Return what is on the screen of the log."""
        shown = visible(self.lines, self._drawing(width), height)
        self._shown_starts = [line.start for line, _ in shown]
        return to_rows(shown, self.lines.hit)

    def _drawing(self, width: int) -> Drawing:
        ground = self.background_colors[1]
        return Drawing(self.lines, self.look, width, ground, glyphs_of(self))

    def changed(self) -> None:
        """Paint anew and tell the pane."""
        self.repaint()
        self._moved()

    def action_scroll(self, rows: int) -> None:
        """Move by rows; upwards holds the log."""
        if self.lines.following and rows > 0:
            return
        self.lines.hold()
        drawing = self._drawing(self.size.width)
        for _ in range(abs(rows)):
            self._down(drawing) if rows > 0 else self._up(drawing)
        self.changed()

    def _down(self, drawing: Drawing) -> None:
        source = self.lines.forward(self.lines.top)
        line = next(source, None)
        if line is None:
            return
        if self.lines.row + 1 < len(drawing.rows(line)):
            self.lines.row += 1
            return
        following = next(source, None)
        if following is not None:
            self.lines.top, self.lines.row = following.start, 0

    def _up(self, drawing: Drawing) -> None:
        if self.lines.row:
            self.lines.row -= 1
            return
        line = next(self.lines.backward(self.lines.top), None)
        if line is not None:
            self.lines.top, self.lines.row = line.start, len(drawing.rows(line)) - 1

    def action_page(self, pages: float) -> None:
        """Move by screens."""
        self.action_scroll(int(pages * max(self.size.height - 1, 1)))

    def action_top(self) -> None:
        """Go to line 1."""
        self.go_to(0)

    def go_to(self, offset: int) -> None:
        """Hold the log with the line at `offset` on top."""
        self.lines.hold()
        self.lines.top, self.lines.row = self.lines.file.start_of_line(offset), 0
        self.changed()

    def action_follow(self) -> None:
        """Go to the end and follow it."""
        self.lines.follow()
        self.changed()

    def action_sideways(self, cells: int) -> None:
        """Move the log sideways."""
        self.look.column = max(0, self.look.column + cells)
        self.changed()

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.look.wrap = not self.look.wrap
        self.changed()

    def action_stamps(self) -> None:
        """Show times absolute, relative, not at all."""
        self.look.stamps = STAMPS[(STAMPS.index(self.look.stamps) + 1) % len(STAMPS)]
        self.changed()

    def action_pretty(self) -> None:
        """Spread JSON lines over rows, or not."""
        self.look.pretty = not self.look.pretty
        self.changed()

    def action_hit(self, step: int) -> None:
        """Go to the next or previous hit of the search."""
        if self.lines.search is not None:
            self._to_mark(self.lines.search, step)

    def action_error(self, step: int) -> None:
        """Go to the next or previous line marked as an error."""
        self._to_mark(self.lines.errors, step)

    def _to_mark(self, index: Index, step: int) -> None:
        here = self.lines.hit if self.lines.hit is not None else self.lines.top
        if self.lines.hit is None and self.lines.following:
            here = self.lines.file.size()
        if step > 0:
            found = index.after(self.lines.file, here + (self.lines.hit is not None))
        else:
            found = index.before(self.lines.file, here)
        if found is None:
            self.app.bell()
            return
        self.show_hit(found)

    def show_hit(self, offset: int) -> None:
        """Hold the log with the line at `offset` marked and on the screen."""
        self.lines.hold()
        self.lines.hit = offset
        if offset not in self._shown_starts:
            self.lines.top, self.lines.row = offset, 0
            for _, line in zip(
                range(self.size.height // 3), self.lines.backward(offset), strict=False
            ):
                self.lines.top = line.start
        self.changed()

    def action_copy(self) -> None:
        """Copy the marked line; a second time: everything from there to here."""
        if not self._shown_starts:
            return
        here = self._shown_starts[-1 if self.lines.following else 0]
        here = self.lines.hit if self.lines.hit is not None else here
        start = here if self._copied_from is None else min(self._copied_from, here)
        end = here if self._copied_from is None else max(self._copied_from, here)
        copied: list[str] = []
        for line in self.lines.forward(start):
            if line.start > end or len(copied) >= MOST_COPIED:
                break
            copied.append(safe(line.data).plain)
        self._copied_from = here if self._copied_from is None else None
        self.post_message(self.Copied("\n".join(copied) + "\n", len(copied)))
