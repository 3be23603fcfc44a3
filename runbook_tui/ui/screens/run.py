"""The screen of one run: what its keys decide and record. `decisions` says what they mean."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from runbook_tui.engine.ports import AddNote, Command, Hold, Leave, Release, StopStep
from runbook_tui.ui import answers, decisions, menu, shell_here, watching
from runbook_tui.ui.attention import current_step
from runbook_tui.ui.backend import BackendError, Driven, Ended
from runbook_tui.ui.bridge import ScreenOperator
from runbook_tui.ui.heading import header
from runbook_tui.ui.scene import Scene
from runbook_tui.ui.screens.dialogs import in_use_dialog, leave_dialog
from runbook_tui.ui.screens.notes import NotesPane
from runbook_tui.ui.screens.rollback import RollbackScreen
from runbook_tui.ui.screens.run_navigation import RunNavigation
from runbook_tui.ui.screens.run_view import OPENED
from state.run_state import Question, RunState
from widgets.ask import Ask
from widgets.decision_bar import DecisionBar
from widgets.field import Field
from widgets.rows import text
from widgets.safe import safe


class RunScreen(RunNavigation):
    """One run, with all its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "decide", show=False),
        Binding("m", "note", show=False),
        Binding("q", "leave", show=False),
    ]

    def question_shown(self, scene: Scene, question: Question) -> None:
        """Show the plan of a rollback that the operator has just asked for."""
        if question.asks == "rollback" and self._expects_rollback:
            self._expects_rollback = False
            self._show_rollback(scene, question)

    def action_note(self) -> None:
        """Write a note on the shown step."""
        self.pane.choose_tab("4")
        self._renew()
        self.call_later(self.pane.notes.area.focus)

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
            self.bar.show_ask(menu.menu(scene, self._step))
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
        if event.choice == answers.SHELL:
            self._open_shell(event.ask)
            return
        if event.ask.id in (watching.WATCH, watching.VOTE):
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
        self._leaving = self._leaving or event.ask.id == menu.HANDING_OVER
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
        may_wait = self.wait_for_place is not None and bool(by.place)
        dialog = in_use_dialog(ended.sentence, by, may_wait=may_wait)
        self.app.push_screen(dialog, partial(self._in_use, ended, by))

    def _in_use(self, ended: Ended, by: Driven, choice: str | None) -> None:
        if choice in ("watch", "take_over"):
            watch = RunScreen(self._backend, None, run=by.run)
            watch.opens = choice == "take_over"
            self.app.switch_screen(watch)
        elif choice == "wait" and self.wait_for_place is not None:
            self.wait_for_place(by)
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
        self.bar.show_ask(menu.handing_over(scene))
        self.bar.enter_choice("hand_over")
