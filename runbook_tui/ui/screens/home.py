"""Home: what needs the operator, the runbooks, the history."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.screen import Screen

from runbook_tui.ui import clock
from runbook_tui.ui.backend import Backend, BackendError, Entry, HomeView
from runbook_tui.ui.keys import HOME, HOME_LOOK, TYPING
from widgets.glyphs import MARK_STYLES
from widgets.key_bar import KeyBar
from widgets.pane_title import PaneTitle
from widgets.rows import Painted, Row, cut, glyphs_of, spread, text
from widgets.run_header import Header, RunHeader, badge
from widgets.safe import safe

if TYPE_CHECKING:
    from textual.widgets import Input

    from runbook_tui.ui.app import RunbookApp
    from widgets.field import Field

FIRST_START = (
    text(),
    text(" No runbooks in  ./runbooks  or  ~/.config/runbook/runbooks."),
    text(),
    text(" Try the practice deployment:  ", ("runbook demo", "bold")),
    text(" Real steps on a sandbox of your own; needs Docker."),
    text(),
    text(" A runbook is a text file: a list of steps. Each step does one thing, shows"),
    text(" its log, and keeps proof of what it did. You answer where a person must"),
    text(" decide; you can quit at any moment and come back."),
)


class EntryList(Painted, can_focus=True):
    """One list of Home; the current entry is opened by enter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown,space,ctrl+d", "move(10)", show=False),
        Binding("pageup,ctrl+u", "move(-10)", show=False),
        Binding("g,home", "move(-100000)", show=False),
        Binding("G,end", "move(100000)", show=False),
        Binding("enter", "open", show=False),
    ]

    class Opened(Message):
        """Enter on an entry."""

        def __init__(self, entry: Entry) -> None:
            super().__init__()
            self.entry = entry

    class Past(Message):
        """The operator moved past an end of the list."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.entries: tuple[Entry, ...] = ()
        self.when_empty: tuple[Content, ...] = ()
        self._current = 0
        self._top = 0

    def show(self, entries: Sequence[Entry]) -> None:
        """Show these entries."""
        self.entries = tuple(entries)
        self._current = min(self._current, max(0, len(self.entries) - 1))
        self.repaint()

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the visible entries; each is one row, or two."""
        if not self.entries and self.when_empty:
            return [Row(text(" ") + line) for line in self.when_empty][:height]
        rows: list[Row] = []
        first = last = 0
        for place, entry in enumerate(self.entries):
            chosen = place == self._current and self.has_focus
            if place == self._current:
                first = len(rows)
            rows.extend(self._entry(entry, width, "on $rb-select" if chosen else ""))
            if place == self._current:
                last = len(rows)
        self._top = min(max(self._top, last - height, 0), first, max(0, len(rows) - height))
        return rows[self._top : self._top + height]

    def _entry(self, entry: Entry, width: int, style: str) -> list[Row]:
        glyphs = glyphs_of(self)
        mark = text(" ")
        if entry.status is not None:
            mark = text((glyphs.marks[entry.status], MARK_STYLES[entry.status]))
        left = text(" ") + mark + text(" ")
        if entry.kind == "run":
            left += safe(f"{entry.target:<10} ")
        place = badge(entry.place, protected=entry.protected)
        tail = "  ".join(part for part in (entry.words, entry.when) if part)
        right = place + text("  " if place.plain and tail else "") + safe(tail) + text(" ")
        rows = [Row(spread(left + safe(entry.title).stylize("bold"), right, width, glyphs), style)]
        if entry.below:
            below = cut(safe(entry.below), width - 5, glyphs)
            rows.append(Row(text("   ") + below.stylize("$rb-muted"), style))
        return rows

    def on_focus(self) -> None:
        """Draw the current entry on the select colour."""
        self.repaint()

    def on_blur(self) -> None:
        """Draw it as the others."""
        self.repaint()

    def action_move(self, places: int) -> None:
        """Go up or down; past an end to the next list."""
        place = self._current + places
        if abs(places) == 1 and not 0 <= place < len(self.entries):
            self.post_message(self.Past(places))
            return
        self._current = min(max(place, 0), max(0, len(self.entries) - 1))
        self.repaint()

    def action_open(self) -> None:
        """Open the current entry."""
        if self.entries:
            self.post_message(self.Opened(self.entries[self._current]))


class HomeScreen(Screen[None]):
    """The first screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "list(1)", show=False),
        Binding("shift+tab", "list(-1)", show=False),
        Binding("slash", "filter", show=False),
        Binding("question_mark", "help", show=False),
        Binding("q", "leave", show=False),
    ]
    DEFAULT_CSS = """
    HomeScreen EntryList { height: auto; }
    HomeScreen #history { height: 1fr; }
    HomeScreen #home-filter { margin: 0 1; }
    HomeScreen #needs-title, HomeScreen #needs { display: none; }
    HomeScreen.needed #needs-title, HomeScreen.needed #needs { display: block; }
    """

    def __init__(self, backend: Backend, *, at_once: bool = True) -> None:
        """`at_once` reads the lists when mounted; else when the screen is first looked at."""
        super().__init__()
        self._backend = backend
        self._at_once = at_once
        self._view = HomeView()
        self._read_once = False
        self._filter = ""
        self.header = RunHeader(
            Header(
                text("Runbooks"),
                who=f"{backend.operator}@{backend.host}",
                where=text("Reading the journal"),
            ),
            clock.now_here,
        )
        self.lists = {name: EntryList(id=name) for name in ("needs", "runbooks", "history")}
        self.titles = {
            "needs": PaneTitle("Needs you", id="needs-title"),
            "runbooks": PaneTitle("Runbooks", id="runbooks-title"),
            "history": PaneTitle("History", id="history-title"),
        }
        self._field: Field | None = None
        self.keys = KeyBar(*HOME)

    def compose(self) -> ComposeResult:
        """Three lists below each other."""
        yield self.header
        for name, entries in self.lists.items():
            yield self.titles[name]
            yield entries
        yield self.keys

    def on_mount(self) -> None:
        """Look when the first picture is painted."""
        if self._at_once:
            self.call_after_refresh(self.read)

    def on_screen_resume(self) -> None:
        """Look again after a run."""
        if self._read_once:
            self.read()

    @work(thread=True, exclusive=True)
    def read(self) -> None:
        """Read what Home lists."""
        try:
            view = self._backend.home()
        except BackendError as problem:
            self.app.call_from_thread(self._cannot, problem)
            return
        self.app.call_from_thread(self._have, view)

    def _cannot(self, problem: BackendError) -> None:
        self._read_once = True
        words = f"{problem.sentence} {problem.advice}".strip()
        self.header.show(Header(text("Runbooks"), who=self._who, where=safe(words)))

    @property
    def _who(self) -> str:
        return f"{self._backend.operator}@{self._backend.host}"

    def _have(self, view: HomeView) -> None:
        first, self._read_once, self._view = not self._read_once, True, view
        verb = "needs" if len(view.needs) == 1 else "need"
        needs = f"{len(view.needs)} {verb} you" if view.needs else "Nothing needs you."
        parts = [needs, f"{view.running} running"] if view.running else [needs]
        where = text(f" {glyphs_of(self).dot} ".join(parts))
        self.header.show(Header(text("Runbooks"), who=self._who, where=where))
        self._arrange()
        if first and self.app.screen is self:
            name = next((n for n in self.lists if self.lists[n].entries), "runbooks")
            self.lists[name].focus()

    def _arrange(self) -> None:
        view, wanted = self._view, self._filter.casefold()
        shown = {"needs": view.needs, "runbooks": view.runbooks, "history": view.history}
        for name, entries in shown.items():
            kept = [e for e in entries if wanted in f"{e.target} {e.title} {e.place}".casefold()]
            self.lists[name].show(kept)
            count = (
                str(len(entries)) if len(kept) == len(entries) else f"{len(kept)} of {len(entries)}"
            )
            title = {"needs": "Needs you", "runbooks": "Runbooks", "history": "History"}[name]
            self.titles[name].show(text(title), count if entries else "none yet")
        rows = {
            name: sum(2 if e.below else 1 for e in each.entries)
            for name, each in self.lists.items()
        }
        self.set_class(bool(view.needs), "needed")
        self.lists["needs"].styles.height = min(rows["needs"], 8)
        none = not view.runbooks
        self.lists["runbooks"].when_empty = FIRST_START if none else ()
        most = len(FIRST_START) if none else 9
        least = len(FIRST_START) if none else 1
        self.lists["runbooks"].styles.height = max(least, min(rows["runbooks"], most))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Draw the title of the list with the focus heavy."""
        for name, title in self.titles.items():
            title.focused(self.lists[name].has_focus)
        self.keys.show(*(TYPING if self.focused is self._field else HOME))

    def action_list(self, step: int) -> None:
        """Go to the next list that has entries."""
        names = [name for name, each in self.lists.items() if each.entries]
        if names:
            place = next((i for i, name in enumerate(names) if self.lists[name].has_focus), -step)
            self.lists[names[(place + step) % len(names)]].focus()

    def on_entry_list_past(self, event: EntryList.Past) -> None:
        """Go on in the list below or above."""
        event.stop()
        self.action_list(event.step)

    def on_entry_list_opened(self, event: EntryList.Opened) -> None:
        """Open a runbook's form, or a run."""
        event.stop()
        app: RunbookApp = self.app  # type: ignore[assignment]  # this screen belongs to that app
        if event.entry.kind == "runbook":
            app.open_launch(Path(event.entry.target), None, {})
        else:
            app.open_run(event.entry.target, drive=event.entry in self._view.needs)

    async def action_filter(self) -> None:
        """Filter all three lists at once."""
        from widgets.field import Field  # not before the first paint

        if self._field is None:
            self._field = Field(id="home-filter")
            await self.mount(self._field, before=self.keys)
        self._field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits."""
        self._filter = event.value
        self._arrange()

    def on_input_submitted(self) -> None:
        """Keep the filter."""
        self.action_list(1)

    async def on_field_left(self) -> None:
        """End the filter."""
        if self._field is not None:
            field, self._field, self._filter = self._field, None, ""
            self._arrange()
            self.action_list(1)
            await field.remove()

    def action_help(self) -> None:
        """Show the keys."""
        from runbook_tui.ui.screens.dialogs import HelpScreen  # not before the first paint

        self.app.push_screen(HelpScreen(look=HOME_LOOK, act=()))

    def action_leave(self) -> None:
        """Leave the program: nothing is driven here."""
        self.app.exit(0)
