"""The keys of a run's screen that look: at a step, a tab, a log, a host, a question."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget

from runbook_tui.ui import decisions, host_grid, panes
from runbook_tui.ui.attention import questions
from runbook_tui.ui.screens.dialogs import HelpScreen
from runbook_tui.ui.screens.run_view import RunView
from widgets.field import Field
from widgets.host_table import HostTable
from widgets.parallel_panes import ParallelPanes
from widgets.safe import safe
from widgets.step_tree import StepTree

IN_LOG = {
    "e": "error(1)",
    "E": "error(-1)",
    "F": "follow",
    "w": "wrap",
    "i": "stamps",
    "J": "pretty",
    "c": "copy",
}
"""Keys of the log that work from the other panes too, and its actions."""


class RunNavigation(RunView):
    """Moving about in one run. Nothing here decides or records anything."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"tab('{key}')", show=False) for key in "123456"),
        Binding("left_square_bracket", "next_tab(-1)", show=False),
        Binding("right_square_bracket", "next_tab(1)", show=False),
        Binding("tab", "pane(1)", show=False),
        Binding("shift+tab", "pane(-1)", show=False),
        Binding("full_stop", "running_step", show=False),
        Binding("z", "zoom", show=False),
        Binding("slash", "find('find')", show=False),
        Binding("ampersand", "find('filter')", show=False),
        Binding("at", "find('time')", show=False),
        *(Binding(key, f"in_log('{action}')", show=False) for key, action in IN_LOG.items()),
        Binding("n", "next_question(1)", show=False),
        Binding("N", "next_question(-1)", show=False),
        Binding("escape", "back", show=False),
        Binding("vertical_line", "pager", show=False),
        Binding("question_mark", "help", show=False),
    ]

    def on_key(self, event: events.Key) -> None:
        """Say where an acting key works; the first key that turns no page of the resume summary
        leaves it.
        """
        if self._typing() or self.bar.has_the_focus:
            return
        if self.pane.page_resume(event.key):
            event.stop()
            return
        if self.pane.leave_resume():
            self._renew()
        means = decisions.ACTING.get(event.character or "")
        if means is not None:
            event.stop()
            self.keys.say(safe(f"{event.character} is {means}; it works after d"))
        else:
            self.keys.hush()

    def on_step_tree_chosen(self, event: StepTree.Chosen) -> None:
        """Show the chosen step from now on, not the running one."""
        event.stop()
        self._own_choice = True
        self._renew()

    def on_step_tree_opened(self, event: StepTree.Opened) -> None:
        """Go into the pane of the step."""
        event.stop()
        self._own_choice = True
        self._renew()
        self.call_later(self._focus_pane)

    def on_parallel_panes_opened(self, event: ParallelPanes.Opened) -> None:
        """Open one of the parallel steps in full."""
        event.stop()
        self._own_choice = True
        self.checklist.choose(event.step)
        self._renew()

    def on_host_table_opened(self, event: HostTable.Opened) -> None:
        """Open the log of one host."""
        event.stop()
        scene = self._scene()
        step = host_grid.opened(scene, self._step, event.host) if scene is not None else None
        if step is None:
            self.pane.show_host(event.host)
        else:
            self._own_choice = True
            self.checklist.choose(step)
        self._renew()
        self.call_later(self._focus_pane)

    def on_tab_row_chosen(self, event: object) -> None:
        """A tab was clicked."""
        self.action_tab(getattr(event, "key", "1"))

    def action_tab(self, key: str) -> None:
        """Show a tab."""
        self.pane.choose_tab(key)
        self._renew()

    def action_next_tab(self, places: int) -> None:
        """Show the next or previous tab."""
        self.pane.step_tab(places)
        self._renew()

    def _focus_pane(self) -> None:
        self.pane.content().focus()

    def action_pane(self, places: int) -> None:
        """Put the focus on the next pane, in a form on the next field."""
        if isinstance(self.focused, Field) and self.pane.form in self.focused.ancestors:
            self._next_field(places)
            return
        stops: list[Widget] = [self.checklist, self.pane.content()]
        if self.has_class("wide"):
            stops.append(self.side)
        place = next((i for i, stop in enumerate(stops) if stop is self.focused), 0)
        following = stops[(place + places) % len(stops)]
        if self.has_class("narrow"):
            self.set_class(following is not self.checklist, "showing-step")
        following.focus()

    def _next_field(self, places: int) -> None:
        fields = list(self.pane.form.query(Field))
        place = next(i for i, field in enumerate(fields) if field is self.focused) + places
        if 0 <= place < len(fields):
            fields[place].focus()
        elif places > 0:
            self.bar.enter_choices()

    def action_running_step(self) -> None:
        """Show the step that matters now, and stay with it."""
        self._own_choice = False
        self._renew()

    def action_zoom(self) -> None:
        """Give the step all columns, or take them back."""
        self._zoomed = not self._zoomed
        self.set_class(self._zoomed, "zoomed")
        (self.pane.content() if self._zoomed else self.checklist).focus()

    def action_find(self, what: str) -> None:
        """Search or filter the log of the shown step, or its hosts, or go to a time in it."""
        if self.pane.shows_hosts:
            self.pane.hosts.action_ask()
            return
        self._show_log()
        self.call_later(self.pane.log_pane.action_ask, what)

    def action_in_log(self, action: str) -> None:
        """Do in the log of the shown step what its own key does there; `e` also among its hosts."""
        if self.pane.shows_hosts and action.startswith("error"):
            self.pane.hosts.table.action_trouble(-1 if "-1" in action else 1)
            return
        self._show_log()
        view = self.pane.log_pane.view
        self.call_later(view.run_action, action)

    def _show_log(self) -> None:
        if self.pane.switcher.current != "log":
            self.pane.choose_tab("1")
            self.pane.choose_tab("1")
            self._renew()

    def action_next_question(self, places: int) -> None:
        """Walk through the open questions."""
        open_ = questions(self._state) if self._state is not None else ()
        if len(open_) > 1:
            current = self.bar.asking.id if self.bar.asking else ""
            place = next((i for i, each in enumerate(open_) if each.id == current), 0)
            self._question = open_[(place + places) % len(open_)].id
            self._renew()

    def action_back(self) -> None:
        """One level back: to the steps. Never leaves the screen."""
        if self._zoomed:
            self.action_zoom()
        self.remove_class("showing-step")
        self.checklist.focus()

    def action_help(self) -> None:
        """Show the keys."""
        scene = self._scene()
        self.app.push_screen(HelpScreen(panes.contacts(scene) if scene else ()))

    def action_pager(self) -> None:
        """Open the log in the operator's pager."""
        state = self._state
        stands = state.steps.get(self._step) if state is not None else None
        open_pager = getattr(self.app, "open_pager", None)
        if stands is not None and stands.last is not None and open_pager is not None:
            open_pager(self._backend.state_directory / stands.last.directory / "output.log")
