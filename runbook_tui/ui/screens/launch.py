"""Launch: the values of a run, what it would do, whether all can be reached; then the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from runbook_tui.ui import clock, keys
from runbook_tui.ui.backend import (
    Backend,
    BackendError,
    Check,
    Draft,
    Driven,
    PlanFound,
    Standing,
)
from runbook_tui.ui.bridge import ScreenOperator
from runbook_tui.ui.launching import blocked, counts, plan_line, start_question
from runbook_tui.ui.screens.dialogs import HelpScreen
from runbook_tui.ui.screens.environment_row import EnvironmentRow
from runbook_tui.ui.screens.preflight_table import PreflightTable
from runbook_tui.ui.waiting import Waiting
from widgets.ask import Now
from widgets.decision_bar import DecisionBar
from widgets.field import Field
from widgets.key_bar import KeyBar
from widgets.pane_title import PaneTitle
from widgets.parameter_form import Parameter, ParameterForm
from widgets.plan_table import PlanTable
from widgets.rows import EMPTY, Painted, glyphs_of, text
from widgets.run_header import Header, RunHeader
from widgets.safe import safe

if TYPE_CHECKING:
    from runbook_tui.ui.app import RunbookApp


class LaunchScreen(Screen[None]):
    """The form that starts a run. Nothing is changed before the bar's question is answered."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "decide", show=False),
        Binding("tab", "next(1)", show=False),
        Binding("shift+tab", "next(-1)", show=False),
        Binding("question_mark", "help", show=False),
        Binding("escape", "back", show=False),
        Binding("q", "leave", show=False),
    ]
    DEFAULT_CSS = """
    LaunchScreen #plan { height: 1fr; min-height: 3; }
    LaunchScreen #preflight { height: 1; }
    """

    def __init__(
        self,
        backend: Backend,
        file: Path,
        environment: str | None,
        given: dict[str, str],
        waits_for: Driven | None = None,
    ) -> None:
        """`waits_for` drives where this run is to begin: it is told when that place is free."""
        super().__init__()
        self._waiting = Waiting(waits_for) if waits_for is not None else None
        self._backend = backend
        self._file = file
        self._environment = environment
        self._given = given
        self._draft: Draft | None = None
        self._found: Sequence[PlanFound] | None = None
        self._problem: BackendError | None = None
        self._looks = 0
        self._looked_at = ""
        self._checking = False
        self._where = EMPTY
        self.header = RunHeader(
            Header(
                text("Start: ") + safe(file.name),
                who=f"{backend.operator}@{backend.host}",
                where=text("Reading the runbook"),
            ),
            clock.now_here,
        )
        self.with_title = PaneTitle("With what")
        self.plan_title = PaneTitle("Plan", "not looked at yet")
        self.plan = PlanTable(id="plan")
        self.preflight_title = PaneTitle("Preflight", "not checked yet")
        self.preflight = PreflightTable()
        self.form: ParameterForm | None = None
        self.place: EnvironmentRow | None = None
        self.bar = DecisionBar(id="bar")
        self.keys = KeyBar(*keys.LAUNCH)

    def compose(self) -> ComposeResult:
        """Values, plan, preflight, bar."""
        yield self.header
        yield self.with_title
        yield self.plan_title
        yield self.plan
        yield self.preflight_title
        yield self.preflight
        yield self.bar
        yield self.keys

    def on_mount(self) -> None:
        """Read the file."""
        self.bar.show_now(Now(text("Reading"), ((text("Reading the runbook."), EMPTY),)))
        self._read()
        if self._waiting is not None:
            self.set_interval(1.0, self._look_at_place)

    @work(thread=True)
    def _read(self) -> None:
        try:
            draft = self._backend.draft(self._file, self._environment, self._given)
        except BackendError as problem:
            self.app.call_from_thread(self._cannot, problem)
            return
        self.app.call_from_thread(self.call_later, self._have_draft, draft)

    def _cannot(self, problem: BackendError) -> None:
        lines = [safe(line) for line in problem.sentence.splitlines()] or [EMPTY]
        if problem.advice:
            lines.append(safe(problem.advice))
        self.header.show(self._head(text("This runbook cannot be started")))
        self.bar.show_now(Now(text("Cannot start"), tuple((line, EMPTY) for line in lines[:3])))

    def _head(self, where: Content) -> Header:
        place = self.place.current if self.place is not None else None
        title = text("Start: ") + safe(self._draft.title if self._draft else self._file.name)
        return Header(
            title,
            place[0] if place else "",
            bool(place and place[1]),
            f"{self._backend.operator}@{self._backend.host}",
            where,
        )

    async def _have_draft(self, draft: Draft) -> None:
        self._draft = draft
        after: PaneTitle | EnvironmentRow = self.with_title
        if draft.environments:
            only = draft.environments[0][0] if len(draft.environments) == 1 else None
            self.place = EnvironmentRow(draft.environments, self._environment or only)
            await self.mount(self.place, after=after)
            after = self.place
        self.form = ParameterForm(
            [
                Parameter(each.name, each.prompt, each.value, each.prompt, each.secret, each.check)
                for each in draft.wanted
            ]
        )
        await self.mount(self.form, after=after)
        parts = [
            f"{draft.steps} steps",
            draft.words,
            f"way back: {draft.rollback}" * bool(draft.rollback),
        ]
        dot = f" {glyphs_of(self).dot} "
        self._where = safe(dot.join(part for part in parts if part))
        self.header.show(self._head(self._where))
        self._look()
        self._first_focus()

    def _first_focus(self) -> None:
        """The first value that is empty or wrong; else the plan."""
        if self.place is not None and self.place.current is None:
            self.place.focus()
        elif self.form is None or not self.form.focus_first():
            self.plan.focus()

    @property
    def _ready(self) -> bool:
        chosen = self.place is None or self.place.current is not None
        return self.form is not None and chosen and not self.form.problems

    def _chosen(self) -> str | None:
        current = self.place.current if self.place is not None else None
        return current[0] if current else None

    def _look(self) -> None:
        """Look at what is there, if the values are right; say what is missing otherwise."""
        self._found, self._problem = None, None
        self.preflight.show(())
        if self._ready and self.form is not None:
            self._looks += 1
            self._checking = True
            self._look_now(self._looks, self._chosen(), dict(self.form.values))
            self.plan_title.show(text("Plan"), "looking")
            self.preflight_title.show(text("Preflight"), "checking")
        self._renew_bar()

    @work(thread=True)
    def _look_now(self, number: int, environment: str | None, given: dict[str, str]) -> None:
        """Look at the plan, then at what must be reached; only the newest look counts."""
        call = self.app.call_from_thread
        try:
            call(self._have_plan, number, self._backend.look(self._file, environment, given))
            call(self._have_checks, number, self._backend.preflight(self._file, environment, given))
        except BackendError as problem:
            call(self._look_failed, number, problem)

    def _look_failed(self, number: int, problem: BackendError) -> None:
        if number == self._looks:
            self._problem = problem
            self._renew_bar()

    def _have_plan(self, number: int, found: Sequence[PlanFound]) -> None:
        if number != self._looks:
            return
        self._found = found
        there = sum(each.there for each in found)
        change = sum(each.changes for each in found)
        dot = glyphs_of(self).dot
        self._looked_at = clock.now_utc().astimezone().strftime("%H:%M:%S")
        self.plan_title.show(
            text(f"Plan, probed {self._looked_at}"),
            f"{there} already there {dot} {change} change something",
        )
        self.plan.show([plan_line(each) for each in found])
        self._renew_bar()

    def _have_checks(self, number: int, checks: Sequence[Check]) -> None:
        if number != self._looks:
            return
        self._checking = False
        self.preflight.show(checks)
        dot = f" {glyphs_of(self).dot} "
        words = dot.join(counts(checks)) or "nothing to check"
        self.preflight_title.show(text("Preflight"), words)
        self._renew_bar()

    def _look_at_place(self) -> None:
        if self._waiting is not None and not self._waiting.over:
            self._look_whether_free(self._waiting)

    @work(thread=True, exclusive=True, group="place")
    def _look_whether_free(self, waiting: Waiting) -> None:
        try:
            found = self._backend.standing(waiting.place)
        except BackendError as problem:
            waiting.missed(problem.sentence)
            self.app.call_from_thread(self._renew_bar)
            return
        self.app.call_from_thread(self._have_standing, waiting, found)

    def _have_standing(self, waiting: Waiting, found: Standing) -> None:
        if not self.is_attached:
            return
        words = waiting.heard(found, clock.now_utc())
        self._renew_bar()
        if words:
            if not self.bar.has_the_focus:
                self._look()  # what was there has changed meanwhile
            app: RunbookApp = self.app  # type: ignore[assignment]  # this screen belongs to that app
            app.call_operator(words)

    def _renew_bar(self) -> None:
        """Say what is missing, or ask for the start; first of all whether the place is free."""
        waits = (safe(self._waiting.line),) if self._waiting is not None else ()
        missing = self._missing()
        if missing is not None:
            title, words = missing
            lines = tuple((line, EMPTY) for line in (*waits, safe(words)))
            self.bar.show_now(Now(text(title), lines))
            return
        title = self._draft.title if self._draft else "it"
        place = self.place.current if self.place is not None else None
        checks, found = self.preflight.checks, self._found or ()
        asked = start_question(title, place, found, checks, checking=self._checking)
        self.bar.show_ask(replace(asked, lines=(*waits, *asked.lines)))

    def _missing(self) -> tuple[str, str] | None:
        if self.form is None:
            return "Reading", "Reading the runbook."
        if self.place is not None and self.place.current is None:
            return "Cannot start yet", "No environment is chosen."
        if self.form.problems:
            name, problem = next(iter(self.form.problems.items()))
            return "Cannot start yet", f"{name}: {problem}."
        if self._problem is not None:
            return "Cannot start", f"{self._problem.sentence} {self._problem.advice}".strip()
        blocks = blocked(self.preflight.checks)
        if blocks:
            return "Cannot start yet", blocks
        if self._found is None:
            return "Cannot start yet", "Looking at what is already there."
        return None

    def on_parameter_form_changed(self, event: ParameterForm.Changed) -> None:
        """The values have changed: what was found does not count any more."""
        event.stop()
        self._looks += 1
        self._found, self._problem = None, None
        self.plan_title.show(text("Plan"), "values have changed")
        self.set_timer(0.5, self._look_when_settled)
        self._renew_bar()

    def _look_when_settled(self) -> None:
        if self._ready and self._found is None and self._problem is None:
            self._look()

    def on_parameter_form_finished(self, event: ParameterForm.Finished) -> None:
        """All values are right: look, and go to the plan."""
        event.stop()
        self._look()
        self.plan.focus()

    def on_environment_row_chosen(self, event: EnvironmentRow.Chosen) -> None:
        """Another environment: look again."""
        event.stop()
        self.header.show(self._head(self._where))
        self._look()

    def on_preflight_table_again(self, event: PreflightTable.Again) -> None:
        """Check again."""
        event.stop()
        self._look()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the keys and heavy titles that belong to the focus."""
        typing = isinstance(self.focused, Field)
        in_form = self.form is not None and self.form in getattr(self.focused, "ancestors", ())
        self.with_title.focused(in_form or self.focused is self.place)
        self.plan_title.focused(self.plan.has_focus)
        self.preflight_title.focused(self.preflight.has_focus)
        if typing:
            self.keys.show(*keys.TYPING)
        elif self.bar.has_the_focus:
            self.keys.show(*keys.choosing(glyphs_of(self), log=False))
        else:
            self.keys.show(*keys.LAUNCH)

    def on_key(self, event: events.Key) -> None:
        """Say where an acting key works."""
        if isinstance(self.focused, Field) or self.bar.has_the_focus:
            return
        asked = self.bar.asking
        if event.character == "y" and asked is not None and not asked.typed:
            event.stop()
            self.keys.say(text("y starts it; it works after d"))
        else:
            self.keys.hush()

    def action_next(self, step: int) -> None:
        """Put the focus on the next part, or field."""
        stops: list[Painted | Field] = [self.place] if self.place is not None else []
        if self.form is not None:
            stops += list(self.form.query(Field))
        stops += [self.plan, self.preflight]
        place = next((i for i, stop in enumerate(stops) if stop is self.focused), -step)
        stops[(place + step) % len(stops)].focus()

    def action_decide(self) -> None:
        """Into the bar, when there is nothing missing."""
        if not self.bar.enter_bar():
            missing = self._missing()
            self.keys.say(safe(missing[1] if missing else "Not yet."))
            self._first_focus()

    def on_decision_bar_stayed(self, event: DecisionBar.Stayed) -> None:
        """Not yet."""
        event.stop()
        self.plan.focus()

    def on_field_left(self, event: Field.Left) -> None:
        """Escape from a value goes to the plan."""
        event.stop()
        self.plan.focus()

    def on_decision_bar_decided(self, event: DecisionBar.Decided) -> None:
        """Start the run."""
        event.stop()
        if event.choice == "start" and self.form is not None:
            operator = ScreenOperator(event.ask.typed or None, started=True)
            app: RunbookApp = self.app  # type: ignore[assignment]  # this screen belongs to that app
            app.start_run(self._file, self._chosen(), dict(self.form.values), operator)

    def action_help(self) -> None:
        """Show the keys."""
        self.app.push_screen(HelpScreen(look=keys.LAUNCH_LOOK, act=keys.LAUNCH_ACT))

    def action_back(self) -> None:
        """One level back inside the form: to the plan."""
        self.plan.focus()

    def action_leave(self) -> None:
        """Leave the form: nothing was started."""
        self.app.call_later(self.app.run_action, "leave_run")
