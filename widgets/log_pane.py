"""The log of a step: follows the end or is held, searched, filtered, and never in memory whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from widgets.field import Field
from widgets.log_index import Index
from widgets.log_lines import LogLines
from widgets.log_pattern import Pattern, PatternError
from widgets.log_reader import LogReader
from widgets.log_view import NOWHERE, LogView
from widgets.rows import EMPTY, Painted, Row, glyphs_of, spread, text
from widgets.safe import safe

PAINTS_A_SECOND = 10


class StatusRow(Painted):
    """One row below the log."""

    def __init__(self, draw: Callable[[int], Row]) -> None:
        super().__init__()
        self._draw = draw

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the row."""
        return [self._draw(width)]


class LogPane(Vertical):
    """The log with its status, its filter and its search."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask('find')", show=False),
        Binding("ampersand", "ask('filter')", show=False),
        Binding("at", "ask('time')", show=False),
    ]
    DEFAULT_CSS = """
    LogPane { height: 1fr; }
    LogPane Horizontal { height: 1; display: none; }
    LogPane Horizontal.open { display: block; }
    LogPane #prompt { width: 18; }
    LogPane Field { width: 1fr; }
    LogPane #found { width: 30; }
    LogPane #filtered { display: none; }
    LogPane #filtered.on { display: block; }
    """
    PROMPTS: ClassVar[dict[str, str]] = {
        "find": " Find  ",
        "filter": " Only lines with  ",
        "time": " Go to  HH:MM:SS  ",
    }

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.view = LogView(self._moved)
        self._status = StatusRow(self._status_row)
        self._filtered = StatusRow(self._filter_row)
        self._filtered.id = "filtered"
        self._prompt = StatusRow(self._prompt_row)
        self._prompt.id = "prompt"
        self._found = StatusRow(self._found_row)
        self._found.id = "found"
        self._field = Field(id="log-field")
        self._asked = "find"
        self._problem = ""
        self._reader: LogReader | None = None
        self._path: Path | None = None
        self._seen = -1
        self._progress = False
        self._jump = False

    def compose(self) -> ComposeResult:
        """The view above its rows."""
        yield self.view
        yield self._status
        yield self._filtered
        with Horizontal():
            yield self._prompt
            yield self._field
            yield self._found

    def on_mount(self) -> None:
        """Look for growth as often as may be painted."""
        self.set_interval(1 / PAINTS_A_SECOND, self._tick)

    def on_unmount(self) -> None:
        """Let files and the reading thread go."""
        self.close_log()

    @property
    def typing(self) -> bool:
        """True while the search, filter or time is being typed."""
        return self._field.has_focus

    def open_log(self, path: Path | None, times: Path | None = None) -> None:
        """Show another log, at its end. The same path again changes nothing."""
        if path == self._path:
            return
        self.close_log()
        self._path = path
        if path is not None:
            lines = LogLines(path, times)
            self.view.lines = lines
            self._reader = LogReader(path, lines.indexes(), self._progressed)
            self._reader.start()
        self._show_search(open_field=self.typing)
        self.view.changed()

    def close_log(self) -> None:
        """Show nothing."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self.view.lines.close()
        self.view.lines = LogLines(NOWHERE, None)
        self._path, self._seen = None, -1

    def _progressed(self) -> None:
        self._progress = True

    def _tick(self) -> None:
        lines = self.view.lines
        if self._path is None or not self.screen.is_active or not self.is_on_screen:
            return
        size = lines.file.size()
        if size != self._seen or (self._progress and lines.filter is not None):
            self._seen = size
            self.view.repaint()
        if self._progress:
            self._progress = False
            self._try_jump()
            for row in (self._status, self._filtered, self._found):
                row.repaint()

    def _try_jump(self) -> None:
        """Show the first hit as soon as it is found."""
        lines = self.view.lines
        if self._jump and lines.search is not None:
            found = lines.search.after(lines.file, min(lines.top, lines.search.covered))
            if found is None and lines.search.covered >= self._seen:
                found = lines.search.place(lines.file, 0)
            if found is not None:
                self._jump = False
                self.view.show_hit(found)

    def _moved(self) -> None:
        """Draw the rows below anew."""
        for row in (self._status, self._filtered, self._found):
            row.repaint()

    def action_ask(self, what: str) -> None:
        """Open the field for a search, a filter or a time."""
        lines = self.view.lines
        if self._path is None:
            return
        self._asked, self._problem = what, ""
        index = {"find": lines.search, "filter": lines.filter}.get(what)
        self._field.value = index.pattern.text if index is not None and index.pattern else ""
        self._field.cursor_position = len(self._field.value)
        self._show_search(open_field=True)
        self._field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take what was typed."""
        event.stop()
        self._field.remember(event.value)
        take = {"find": self._find, "filter": self._filter, "time": self._go_to_time}
        if take[self._asked](event.value):
            self._end_typing()
        self.view.changed()

    def on_field_left(self, event: Field.Left) -> None:
        """Escape ends the search."""
        event.stop()
        if self._asked == "find":
            self.view.lines.search = self.view.lines.hit = None
            self._renew_indexes()
        self._problem = ""
        self._end_typing()
        self.view.changed()

    def _end_typing(self) -> None:
        self.view.focus()
        self._show_search()

    def _show_search(self, *, open_field: bool = False) -> None:
        lines = self.view.lines
        searching = lines.search is not None
        self.query_one(Horizontal).set_class(open_field or searching, "open")
        self._filtered.set_class(lines.filter is not None, "on")
        self._prompt.styles.width = len(self.PROMPTS[self._asked])
        self._prompt.repaint()

    def _compile(self, typed: str) -> Index | None:
        try:
            return Index(Pattern(typed))
        except PatternError as problem:
            self._problem = str(problem)
            return None

    def _find(self, typed: str) -> bool:
        index = self._compile(typed) if typed else None
        if typed and index is None:
            return False
        self.view.lines.search, self.view.lines.hit = index, None
        self._jump = index is not None
        self._renew_indexes()
        return True

    def _filter(self, typed: str) -> bool:
        index = self._compile(typed) if typed else None
        if typed and index is None:
            return False
        self.view.lines.filter = index
        self._renew_indexes()
        return True

    def _go_to_time(self, typed: str) -> bool:
        lines = self.view.lines
        first = lines.times.at(0) if lines.times else None
        if lines.times is None or first is None:
            self._problem = "this log has no times"
            return False
        try:
            wanted = datetime.strptime(
                typed.strip() + ":00:00"[: 8 - len(typed.strip())], "%H:%M:%S"
            )
        except ValueError:
            self._problem = "a time is HH:MM or HH:MM:SS"
            return False
        day = datetime.fromtimestamp(first / 1000).astimezone()
        moment = day.replace(hour=wanted.hour, minute=wanted.minute, second=wanted.second)
        offset = lines.times.offset(int(moment.timestamp() * 1000))
        self.view.go_to(offset if offset is not None else lines.file.size())
        return True

    def show_only(self, pattern: str) -> None:
        """Show only the lines that match, as if it had been typed."""
        if self._filter(pattern):
            self._show_search()
            self.view.changed()

    def _renew_indexes(self) -> None:
        if self._reader is not None:
            self._reader.set_indexes(self.view.lines.indexes())

    def _status_row(self, width: int) -> Row:
        lines, glyphs = self.view.lines, glyphs_of(self)
        if self._path is None:
            return Row(text((" No output yet.", "$rb-muted")))
        total, read = lines.count.total, lines.count.covered >= lines.file.size()
        many = f"{total} line{'' if total == 1 else 's'}" + ("" if read else " so far")
        if lines.following:
            left, right = f" {many} {glyphs.dot} follows the end", self._errors_in_words()
        else:
            number = lines.number(lines.hit if lines.hit is not None else lines.top)
            place = f"line {number} of {total}" if number is not None else "a line not counted yet"
            new = max(0, total - lines.held_at)
            left, right = f" held at {place} {glyphs.dot} {new} new", "F follow"
        return Row(spread(text(left), text((right, "$rb-muted")), width, glyphs))

    def _errors_in_words(self) -> str:
        marked = self.view.lines.errors.total
        return f"{marked} marked {glyphs_of(self).dot} e next" if marked else "no errors marked"

    def _filter_row(self, width: int) -> Row:
        lines, glyphs = self.view.lines, glyphs_of(self)
        if lines.filter is None or lines.filter.pattern is None:
            return Row(EMPTY)
        shown = safe(lines.filter.pattern.text).stylize("bold")
        counts = text(f"  {glyphs.dot} {lines.filter.total} of {lines.count.total}")
        left = text(" Only lines with  ") + shown + counts
        return Row(spread(left, text(("& change", "$rb-muted")), width, glyphs))

    def _prompt_row(self, width: int) -> Row:
        return Row(text(self.PROMPTS[self._asked]))

    def _found_row(self, width: int) -> Row:
        lines = self.view.lines
        if self._problem:
            return Row(text((" ", ""), safe(self._problem).stylize("$rb-bad bold")))
        if lines.search is None:
            return Row(EMPTY)
        index, size = lines.search, lines.file.size()
        read = "all read" if index.covered >= size else f"so far, {index.covered * 100 // size} %"
        rank = index.rank(lines.file, lines.hit) if lines.hit is not None else None
        place = f"hit {rank + 1} of {index.total}" if rank is not None else f"{index.total} hits"
        return Row(spread(text(f"{place} ({read})"), text(("n N", "$rb-muted")), width))
