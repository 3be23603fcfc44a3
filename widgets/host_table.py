"""The hosts of a step: counts, trouble first, what waits and what is done folded, a filter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from state.status import StepStatus
from widgets.durations import lasting
from widgets.field import Field
from widgets.glyphs import MARK_STYLES
from widgets.rows import EMPTY, Painted, Row, cut, glyphs_of, text, wrap
from widgets.safe import safe

ORDER: Final = ("failed", "unknown", "lost", "running", "waiting", "done")
"""States of a host, trouble first."""

COUNTED: Final = ("done", "running", "failed", "unknown", "waiting")
"""The order in which they are counted; a lost link counts as unknown."""

TROUBLE: Final = ORDER[:3]
FOLDED: Final = {"waiting": "not started", "done": "done"}
MARKS: Final = {
    "failed": StepStatus.FAILED,
    "unknown": StepStatus.UNKNOWN,
    "lost": StepStatus.UNKNOWN,
    "running": StepStatus.RUNNING,
    "waiting": StepStatus.PENDING,
    "done": StepStatus.SUCCEEDED,
}
NAMES: Final = 24
"""Most cells of the column of names."""


@dataclass(frozen=True, slots=True)
class HostLine:
    """One host: its state (one of ORDER), what it says, and for how many seconds it was at it."""

    name: str
    state: str
    words: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """The hosts of a state that are shown in one line."""

    state: str
    hosts: tuple[HostLine, ...]


Line = HostLine | Fold


def arranged(
    hosts: Iterable[HostLine], wanted: str = "", unfolded: Iterable[str] = ()
) -> list[Line]:
    """Return the lines to show: those that hold `wanted`, or all, with two states folded."""
    lines: list[Line] = []
    by_state: dict[str, list[HostLine]] = {state: [] for state in ORDER}
    for host in hosts:
        if wanted.casefold() in f"{host.name} {host.words}".casefold():
            by_state.get(host.state, by_state["unknown"]).append(host)
    for state, those in by_state.items():
        if state in FOLDED and state not in unfolded and not wanted and len(those) > 1:
            lines.append(Fold(state, tuple(those)))
        else:
            lines += those
    return lines


class HostTable(Painted, can_focus=True):
    """The table itself. Only the visible rows are made."""

    DEFAULT_CSS = "HostTable { height: 1fr; }"
    HEAD: ClassVar[int] = 3
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown,space,ctrl+d", "page(1)", show=False),
        Binding("pageup,ctrl+u", "page(-1)", show=False),
        Binding("g,home", "end(-1)", show=False),
        Binding("G,end", "end(1)", show=False),
        Binding("e", "trouble(1)", show=False),
        Binding("E", "trouble(-1)", show=False),
        Binding("enter", "open", show=False),
    ]

    class Opened(Message):
        """Enter was pressed on a host."""

        def __init__(self, host: str) -> None:
            super().__init__()
            self.host = host

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.wanted = ""
        self._hosts: tuple[HostLine, ...] = ()
        self._right = self._note = ""
        self._noun = "host"
        self._lines: list[Line] = []
        self._unfolded: set[str] = set()
        self._current = ""
        self._top = 0

    def show(
        self, hosts: Sequence[HostLine], right: str = "", note: str = "", *, noun: str = "host"
    ) -> None:
        """Show hosts; `right` stands behind the counts, `note` in the last row."""
        given = (tuple(hosts), right, note, noun)
        if given != (self._hosts, self._right, self._note, self._noun):
            self._hosts, self._right, self._note, self._noun = given
            self._arrange()

    def only(self, wanted: str) -> None:
        """Show only the hosts whose name or words hold `wanted`; all with an empty one."""
        self.wanted = wanted
        self._arrange()

    def _arrange(self) -> None:
        self._lines = arranged(self._hosts, self.wanted, self._unfolded)
        if self._lines and self._current not in {_key(line) for line in self._lines}:
            self._current = _key(self._lines[0])
        self.repaint()

    def _place(self) -> int:
        keys = (_key(line) for line in self._lines)
        return next((at for at, key in enumerate(keys) if key == self._current), 0)

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the counts and the visible lines, the current one always among them."""
        note = wrap(safe(self._note), width - 2)[:2] if self._note else []
        room = max(height - self.HEAD - (len(note) + 1 if note else 0), 1)
        place = self._place()
        last_top = max(0, len(self._lines) - room)
        self._top = min(max(self._top, place - room + 1, 0), place, last_top)
        column = min(max((len(host.name) for host in self._hosts), default=0), NAMES)
        seen = self._lines[self._top : self._top + room]
        rows = [Row(self._counts()), Row(self._how(room)), Row(EMPTY)]
        rows += [self._row(line, width, column) for line in seen]
        if note:
            rows += [Row(EMPTY)] * (height - len(rows) - len(note))
            rows += [Row(text(" ") + line) for line in note]
        return rows

    def _counts(self) -> Content:
        glyphs = glyphs_of(self)
        head = text(f" {len(self._hosts)} {self._noun}{'' if len(self._hosts) == 1 else 's'}")
        marks = [MARKS.get(host.state, StepStatus.UNKNOWN) for host in self._hosts]
        for status in dict.fromkeys(MARKS[state] for state in COUNTED):
            if count := marks.count(status):
                head += text("  ", (glyphs.marks[status], MARK_STYLES[status]), f" {count}")
        return head + (text("  ") + safe(self._right) if self._right else EMPTY)

    def _how(self, room: int) -> Content:
        dot = glyphs_of(self).dot
        if self.wanted:
            shown = text(" only ") + safe(self.wanted).stylize("bold")
            return shown + text((f"  {dot} {len(self._lines)} of {len(self._hosts)}", "$rb-muted"))
        place = "sorted: trouble first"
        if len(self._lines) > room:
            place = f"{self._top + 1}-{self._top + room} of {len(self._lines)}, trouble first"
        words = f" {place} {dot} / filter {dot} enter its log"
        return text((words, "$rb-muted"))

    def _row(self, line: Line, width: int, column: int) -> Row:
        glyphs = glyphs_of(self)
        status = MARKS.get(line.state, StepStatus.UNKNOWN)
        mark = text("  ", (glyphs.marks[status], MARK_STYLES[status]), " ")
        if isinstance(line, Fold):
            body = mark + safe(_folded(line, glyphs.ellipsis))
            tail = ""
        else:
            name = cut(safe(line.name), column, glyphs)
            body = mark + name + text(" " * (column - name.cell_length + 2)) + safe(line.words)
            tail = "" if line.seconds is None else lasting(line.seconds)
        room = width - len(tail) - 2
        body = cut(body, room, glyphs)
        body += text(" " * (room - body.cell_length + 1), tail)
        return Row(body, "on $rb-select" if _key(line) == self._current else "")

    def _go(self, place: int) -> None:
        if self._lines:
            self._current = _key(self._lines[min(max(place, 0), len(self._lines) - 1)])
            self.repaint()

    def action_move(self, lines: int) -> None:
        """Go up or down."""
        self._go(self._place() + lines)

    def action_page(self, pages: int) -> None:
        """Go up or down by screens."""
        self._go(self._place() + pages * max(1, self.size.height - self.HEAD - 1))

    def action_end(self, end: int) -> None:
        """Go to the first or last line."""
        self._go(0 if end < 0 else len(self._lines) - 1)

    def action_trouble(self, places: int) -> None:
        """Go to the next or previous host in trouble, round the end."""
        here = self._place()
        bad = [at for at, line in enumerate(self._lines) if line.state in TROUBLE]
        if places < 0:
            self._go(max((at for at in bad if at < here), default=bad[-1] if bad else here))
        else:
            self._go(min((at for at in bad if at > here), default=bad[0] if bad else here))

    def action_open(self) -> None:
        """Open the log of a host, or unfold what is folded."""
        if not self._lines:
            return
        line = self._lines[self._place()]
        if isinstance(line, Fold):
            self._unfolded.add(line.state)
            self._current = line.hosts[0].name
            self._arrange()
        else:
            self.post_message(self.Opened(line.name))


def _key(line: Line) -> str:
    return line.name if isinstance(line, HostLine) else f"\0{line.state}"


def _folded(line: Fold, ellipsis: str) -> str:
    first, last = line.hosts[0].name, line.hosts[-1].name
    words = f"{first} {ellipsis} {last}   {len(line.hosts)} {FOLDED[line.state]}"
    took = [host.seconds for host in line.hosts if host.seconds is not None]
    return f"{words}   median {lasting(median(took))}" if took and line.state == "done" else words


class HostPane(Vertical):
    """The table with the field of its filter below it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash,ampersand", "ask", show=False)]
    DEFAULT_CSS = """
    HostPane { height: 1fr; }
    HostPane Horizontal { height: 1; display: none; }
    HostPane Horizontal.open { display: block; }
    HostPane Prompt { width: 19; }
    HostPane Field { width: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.table = HostTable()
        self._field = Field(id="host-field")

    def compose(self) -> ComposeResult:
        """The table above the field."""
        yield self.table
        with Horizontal():
            yield Prompt(lambda: " Only hosts with  ")
            yield self._field

    def action_ask(self) -> None:
        """Open the field of the filter."""
        self._field.value = self.table.wanted
        self._field.cursor_position = len(self._field.value)
        self.query_one(Horizontal).set_class(True, "open")
        self._field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        event.stop()
        if self._field.has_focus:
            self.table.only(event.value.strip())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter."""
        event.stop()
        self._field.remember(event.value)
        self._end()

    def on_field_left(self, event: Field.Left) -> None:
        """Escape shows all hosts again."""
        event.stop()
        self.table.only("")
        self._end()

    def _end(self) -> None:
        self.query_one(Horizontal).set_class(False, "open")
        self.table.focus()


class Prompt(Painted):
    """A word before the field."""

    def __init__(self, said: Callable[[], str]) -> None:
        super().__init__()
        self._said = said

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the row."""
        return [Row(text(self._said()))]
