"""The screen of one run: what its keys do. `decisions` says what they decide."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import events, work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from runbook_tui.engine.ports import AddNote, Command, Hold, Leave, Release, StopStep
from runbook_tui.ui import decisions, host_grid, panes, shell_here, watching
from runbook_tui.ui.attention import current_step, questions
from runbook_tui.ui.backend import BackendError, Driven, Ended
from runbook_tui.ui.bridge import ScreenOperator
from runbook_tui.ui.heading import header
from runbook_tui.ui.scene import Scene
from runbook_tui.ui.screens.dialogs import HelpScreen, in_use_dialog, leave_dialog
from runbook_tui.ui.screens.notes import NotesPane
from runbook_tui.ui.screens.rollback import RollbackScreen
from runbook_tui.ui.screens.run_view import OPENED, RunView
from state.run_state import Question, RunState
from widgets.decision_bar import Ask, DecisionBar
from widgets.field import Field
from widgets.host_table import HostTable
from widgets.parallel_panes import ParallelPanes
from widgets.rows import text
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


class RunScreen(RunView):
    """One run, with its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "decide", show=False),
        *(Binding(key, f"tab('{key}')", show=False) for key in "123456"),
        Binding("left_square_bracket", "next_tab(-1)", show=False),
        Binding("right_square_bracket", "next_tab(1)", show=False),
        Binding("tab", "pane(1)", show=False),
        Binding("shift+tab", "pane(-1)", show=False),
        Binding("full_stop", "running_step", show=False),
        Binding("z", "zoom", show=False),
        Binding("m", "note", show=False),
        Binding("slash", "find('find')", show=False),
        Binding("ampersand", "find('filter')", show=False),
        Binding("at", "find('time')", show=False),
        *(Binding(key, f"in_log('{action}')", show=False) for key, action in IN_LOG.items()),
        Binding("n", "next_question(1)", show=False),
        Binding("N", "next_question(-1)", show=False),
        Binding("escape", "back", show=False),
        Binding("vertical_line", "pager", show=False),
        Binding("question_mark", "help", show=False),
        Binding("q", "leave", show=False),
    ]

    def question_shown(self, scene: Scene, question: Question) -> None:
        """Show the plan of a rollback that the operator has just asked for."""
        if question.asks == "rollback" and self._expects_rollback:
            self._expects_rollback = False
            self._show_rollback(scene, question)

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

    def action_note(self) -> None:
        """Write a note on the shown step."""
        self.pane.choose_tab("4")
        self._renew()
        self.call_later(self.pane.notes.area.focus)

    def action_find(self, what: str) -> None:
        """Search or filter the log of the shown step, or its hosts, or go to a time in it."""
        if self.pane.switcher.current == self.pane.hosts.id:
            self.pane.hosts.action_ask()
            return
        self._show_log()
        self.call_later(self.pane.log_pane.action_ask, what)

    def action_in_log(self, action: str) -> None:
        """Do in the log of the shown step what its own key does there."""
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

    def action_decide(self) -> None:
        """Into the bar: the open question, or what can be done now."""
        scene = self._scene()
        if scene is None:
            return
        if scene.state.final:
            self.keys.say(text("The run is over: nothing is left to decide."))
            return
        if scene.driven is not None and not scene.driving:
            self._decide_as_watcher(scene)
            return
        if not scene.driving:
            self.keys.say(safe(f"Nobody drives it. Take it up: runbook resume {scene.state.run}"))
            return
        if self.focused is not None and not self.bar.has_the_focus:
            self._came_from = self.focused
        question = self._open_question(scene.state)
        if question is None:
            self.bar.show_ask(decisions.menu(scene, self._step))
            self.bar.enter_bar()
            return
        if question.asks == "rollback":
            self._show_rollback(scene, question)
            return
        if question.step is not None and question.step != self._step:
            self._own_choice = False
            self.checklist.choose(question.step)
            self._renew()
        if question.asks == "manual":
            self.call_later(self._enter_form)
        else:
            self.bar.enter_bar()

    def _decide_as_watcher(self, scene: Scene) -> None:
        """Offer what somebody may do who does not drive."""
        if self._asking:
            return
        if self.focused is not None and not self.bar.has_the_focus:
            self._came_from = self.focused
        self.bar.show_ask(watching.ask(scene))
        self.bar.enter_bar()

    async def _enter_form(self) -> None:
        scene = self._scene()
        if scene is not None:
            self.pane.choose_tab("3")
            await self.pane.show(scene, self._step)
        if not self.pane.form.focus_first():
            self.bar.enter_bar()

    def on_field_left(self, event: Field.Left) -> None:
        """Escape from a form goes to the choices."""
        if self.pane.form in event.field.ancestors:
            event.stop()
            self.bar.enter_choices()

    def on_input_submitted(self) -> None:
        """Enter in the last field of a form goes to the choices."""
        if isinstance(self.focused, Field) and self.pane.form in self.focused.ancestors:
            self.bar.enter_choices()

    def on_note_area_left(self) -> None:
        """The draft stays; the focus goes back."""
        self.checklist.focus()

    def on_notes_pane_written(self, event: NotesPane.Written) -> None:
        """Keep the note."""
        event.stop()
        if self.is_driving:
            self.operator.send(AddNote(event.words, event.step))
        elif self._state is not None:
            self._keep_note(self._state.run, event.step, event.words)
        self.checklist.focus()

    @work(thread=True)
    def _keep_note(self, run: str, step: str | None, words: str) -> None:
        try:
            self._backend.note(run, step, words)
            recorded = self._backend.recorded(run)
        except BackendError as problem:
            self.app.call_from_thread(self._cannot, problem)
            return
        self.app.call_from_thread(self._have, recorded)

    def on_decision_bar_stayed(self, event: DecisionBar.Stayed) -> None:
        """Nothing was decided: the focus goes back to where it was."""
        event.stop()
        self._focus_back()
        if self.bar.asking is not None and self.bar.asking.id in OPENED:
            self._close_menu()

    def _focus_back(self) -> None:
        came = self._came_from
        usable = came is not None and came.is_attached and came.display and came.is_on_screen
        (came if usable and came is not None else self.checklist).focus()

    def _close_menu(self) -> None:
        scene = self._scene()
        if scene is not None:
            self.bar.show_now(self._now(scene))

    def on_decision_bar_decided(self, event: DecisionBar.Decided) -> None:
        """Hand the decision to the driver."""
        event.stop()
        if event.choice == decisions.SHELL:
            self._open_shell(event.ask)
            return
        if event.ask.id == watching.WATCH:
            self._focus_back()
            self._close_menu()
            self._decided_as_watcher(event.choice, event.reason)
            return
        fields: Mapping[str, str] = {}
        if event.ask.form and event.choice not in ("skip", "rollback", "abort"):
            if self.pane.form.problem:
                self.bar.say(self.pane.form.problem)
                return
            fields = {name: value for name, value in self.pane.form.values.items() if value}
        self._expects_rollback = event.choice == "rollback"
        self._leaving = self._leaving or event.ask.id == decisions.HANDING_OVER
        self._send(decisions.command(event.ask, event.choice, event.reason, fields))
        self._question = ""
        self._focus_back()
        if event.ask.id in OPENED:
            self._close_menu()

    def _decided_as_watcher(self, choice: str, reason: str) -> None:
        state = self._state
        if state is None:
            return
        kind, _, step = choice.partition(" ")
        if kind == "take_over":
            self.take_over(state, reason)
        else:
            self.keys.say(text("Sending it to whoever drives."))
            self._vote(state.run, step, kind, reason)

    @work(thread=True)
    def _vote(self, run: str, step: str, kind: str, reason: str) -> None:
        try:
            said = self._backend.vote(run, step, kind, reason)
        except BackendError as problem:
            said = problem.sentence
        self.app.call_from_thread(self.keys.say, safe(said))

    def take_over(self, state: RunState, reason: str) -> None:
        """Ask whoever drives; when they leave, or do not answer, drive it here."""
        backend, run = self._backend, state.run

        def say(line: str) -> None:
            self._asking = line

        def going() -> bool:
            return not self._gone

        self._asking, self._before = "Asking whoever drives.", state
        self._drive = lambda port: backend.take_over(run, reason, port, say, going)
        self.operator = ScreenOperator()
        self._begin()
        self._renew()

    def in_use(self, ended: Ended, by: Driven) -> None:
        """Say who drives here, and offer to look on."""
        self.app.push_screen(in_use_dialog(ended.sentence, by), partial(self._in_use, ended, by))

    def _in_use(self, ended: Ended, by: Driven, choice: str | None) -> None:
        if choice in ("watch", "take_over"):
            watch = RunScreen(self._backend, None, run=by.run)
            watch.opens = choice == "take_over"
            self.app.switch_screen(watch)
        else:
            self._cannot(BackendError(ended.sentence, ended.advice))

    def _open_shell(self, asked: Ask) -> None:
        """Give the terminal to a shell where the step stands; what is asked stays asked."""
        scene = self._scene()
        question = scene.state.question(asked.id) if scene is not None else None
        open_shell = getattr(self.app, "open_shell", None)
        if scene is None or question is None or question.step is None or open_shell is None:
            return
        step = scene.plan.step(question.step)
        self.operator.send(AddNote(f"shell opened at {step.name}", step.id))
        note = open_shell(shell_here.shell(scene.plan, scene.state, step.id, os.environ), step.name)
        self.operator.send(AddNote(note, step.id))
        self._focus_back()

    def _send(self, command: Command) -> None:
        if isinstance(command, Hold | Release):
            self._held = isinstance(command, Hold)
            self._renew()
        self.operator.send(command)

    def _show_rollback(self, scene: Scene, question: Question) -> None:
        """Show what a rollback would do, and ask for it there."""
        asked = decisions.ask(scene, question)
        head = replace(
            header(scene),
            title=text("Roll back ") + safe(scene.plan.runbook),
            where=safe(f"From what run {scene.state.run} did, newest first"),
        )

        def decided(result: tuple[str, str] | None) -> None:
            if result is not None:
                self._send(decisions.command(asked, *result))
            self.checklist.focus()

        self.app.push_screen(RollbackScreen(head, asked, dict(question.shown)), decided)

    def action_leave(self) -> None:
        """Leave: at once when nothing is driven here, else ask."""
        state = self._state
        if not self.is_driving or state is None or state.final:
            self._gone = True
            self.app.call_later(self.app.run_action, "leave_run")
            return
        running = [stands.name for stands, _ in state.open_attempts()]
        scene = self._scene()
        coming = state.steps.get((scene and current_step(state, scene.plan)) or "")
        dialog = leave_dialog(state.run, running, coming.name if coming else "")
        self.app.push_screen(dialog, self._left)

    def _left(self, choice: str | None) -> None:
        state = self._state
        if choice == "leave":
            self._leaving = True
            self.operator.send(Leave(f"{self._backend.operator} left"))
        elif choice == "stop" and state is not None:
            for stands, _ in state.open_attempts():
                self.operator.send(StopStep(stands.id, f"{self._backend.operator} leaves"))
        elif choice == "hand_over":
            self._hand_over()

    def _hand_over(self) -> None:
        """Ask in the bar to whom, and leave when the driver has."""
        scene = self._scene()
        if scene is None:
            return
        self._came_from = self.checklist
        self.bar.show_ask(decisions.handing_over(scene))
        self.bar.enter_choice("hand_over")
