"""How a run is shown: from its driver's states to the widgets, ten times a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from runbook_tui.engine import plans
from runbook_tui.exits import IN_USE
from runbook_tui.ui import clock, decisions, keys, watching
from runbook_tui.ui.attention import current_step, first_question
from runbook_tui.ui.backend import Audited, Backend, BackendError, Driven, Ended, Recorded
from runbook_tui.ui.bridge import Driving, ScreenOperator, Watcher
from runbook_tui.ui.checklist import step_lines
from runbook_tui.ui.following import Follower
from runbook_tui.ui.heading import header
from runbook_tui.ui.now_bar import now_bar
from runbook_tui.ui.resume_summary import away, resume_sections
from runbook_tui.ui.scene import Peek, Scene
from runbook_tui.ui.screens.notes import NoteArea
from runbook_tui.ui.screens.step_pane import StepPane
from runbook_tui.ui.side import side_sections
from runbook_tui.ui.sizes import NARROW, WIDE
from state.run_state import GROUP_ACTION, Question, RunState
from widgets.decision_bar import DecisionBar, Now
from widgets.durations import lasting
from widgets.field import Field
from widgets.key_bar import KeyBar
from widgets.pane_title import Divider, PaneTitle
from widgets.rows import EMPTY, glyphs_of, text
from widgets.run_header import Header, RunHeader
from widgets.safe import safe
from widgets.step_tree import StepTree
from widgets.text_pane import TextPane

if TYPE_CHECKING:
    from runbook_tui.definition.plan import Plan

OPENED = (decisions.MENU, decisions.HANDING_OVER, watching.WATCH)
"""What the operator opened in the bar: it stays until they leave it."""

BELLS = (120.0, 300.0, 900.0)
"""Seconds after which an unanswered question rings again."""


class RunView(Screen[None]):
    """The widgets of one run, driven by this session or only shown."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """The screen's own would repaint all of it, at each move of the focus."""

    def __init__(
        self,
        backend: Backend,
        drive: Callable[[ScreenOperator], Ended] | None,
        *,
        run: str | None = None,
        operator: ScreenOperator | None = None,
        rolls_back: bool = False,
        wants: str = "",
    ) -> None:
        """`drive` starts or resumes the run, in a thread; without it `run` is only shown.

        `rolls_back`: it was called for a rollback, whose plan is shown as soon as it is asked.
        `wants`: why this session is to drive the run instead of whoever does.
        """
        super().__init__()
        self._backend = backend
        self._drive = drive
        self._wants = wants
        self._run = run
        self.operator = operator or ScreenOperator()
        self.driving: Driving | None = None
        self._watcher = Watcher(backend.state_directory, backend.bring_output)
        self._plans: dict[str, Plan] = {}
        self._expanded: tuple[int, int, Plan] | None = None
        self._state: RunState | None = None
        self._before: RunState | None = None
        self._greeting: tuple[str, RunState] | None = None
        self._audited: Audited | None = None
        self._peeks: Mapping[str, Peek] = {}
        self._held = False
        self._away = ""
        self._step = ""
        self._own_choice = False
        self._question = ""
        self._rung: tuple[str, float, int] = ("", 0.0, 0)
        self._expects_rollback = rolls_back
        self._zoomed = False
        self._came_from: Widget | None = None
        self._second = ""
        self._leaving = False
        self._follower: Follower | None = None
        self._driven: Driven | None = None
        self._asking = ""
        """What goes on while whoever drives is asked to let this session drive."""
        self._drove = self._gone = False
        self.opens = False
        """Go into the bar as soon as it is known who drives."""
        self._lost = ""
        """Why this session does not drive, or does so no more."""
        self.code = 0
        """Exit code of what was driven here."""
        self.header = RunHeader(
            Header(text("Runbook"), where=text("Reading the run")),
            clock.now_here,
        )
        self.checklist = StepTree()
        self.checklist_title = PaneTitle("Steps")
        self.pane = StepPane(backend.state_directory, backend.describe)
        self.side = TextPane(id="side")
        self.bar = DecisionBar(id="bar")
        self.keys = KeyBar()

    def compose(self) -> ComposeResult:
        """Header, panes, bar, keys."""
        yield self.header
        with Horizontal(id="body"):
            with Vertical(id="steps"):
                yield self.checklist_title
                yield self.checklist
            yield Divider(id="divider")
            yield self.pane
            yield Divider(id="side-divider")
            yield self.side
        yield self.bar
        yield self.keys

    def on_mount(self) -> None:
        """Begin to drive, and to look ten times a second for what is new."""
        self.checklist.focus()
        self.bar.show_now(Now(text("Now"), ((text("Reading the run."), EMPTY),)))
        if self._run is not None:
            self._read_first(self._run)
        elif self._drive is not None:
            self._begin()
        self.set_interval(0.1, self._tick)

    def on_unmount(self) -> None:
        """End the watching threads."""
        self._follow(None)
        self._watcher.close()

    @work(thread=True)
    def _read_first(self, run: str) -> None:
        """Read what the journal has before anything else happens."""
        try:
            recorded = self._backend.recorded(run)
            if self._drive is not None:
                self._audited = self._backend.audited(run)
        except BackendError as problem:
            self.app.call_from_thread(self._cannot, problem)
            return
        self.app.call_from_thread(self._have, recorded)

    def _have(self, recorded: Recorded) -> None:
        self._plans[recorded.state.run] = recorded.plan
        self._state = recorded.state
        if self._drive is not None:
            self._before = recorded.state
            self._begin()
        elif not recorded.state.final:
            self._follow(recorded.state.run)
            if self._wants:
                self.take_over(recorded.state, self._wants)
        self._renew()

    def take_over(self, state: RunState, reason: str) -> None:
        """Drive the run here; a screen knows how."""

    def _follow(self, run: str | None) -> None:
        """Follow a run that is driven elsewhere; None: no more."""
        if self._follower is not None:
            self._follower.close()
        self._follower = Follower(self._backend, run) if run is not None else None
        self._driven = None

    def _cannot(self, problem: BackendError) -> None:
        lines = [(safe(problem.sentence), EMPTY)]
        if problem.advice:
            lines.append((safe(problem.advice), EMPTY))
        self.bar.show_now(Now(text("This cannot go on"), tuple(lines)))

    def _begin(self) -> None:
        drive, operator = self._drive, self.operator
        if drive is not None:
            self.driving = Driving(lambda: drive(operator))

    @property
    def state(self) -> RunState | None:
        """The run as it was last published."""
        return self._state

    @property
    def is_driving(self) -> bool:
        """True while the driver of this session is at it."""
        return self.driving is not None and self.driving.alive and not self._asking

    def _tick(self) -> None:
        """Take what is new; once a second also what only time has changed."""
        state, peeks = self.operator.take(), self._watcher.take()
        ended = self.driving is not None and not self.driving.alive
        refusal = self.operator.take_refusal()
        if refusal:
            self.keys.say(safe(refusal))
        if self.operator.away != self._away:
            self._away = self.operator.away
            if not self._away:
                self.keys.say(text("The journal is back: the run goes on."))
            self._renew()
        if state is not None:
            self._drove, self._asking, self._lost = True, "", ""
            self._follow(None)
            self._take_state(state)
        followed = self._follower.take() if self._follower is not None else None
        if followed is not None:
            state, self._driven = followed
            self._take_state(state)
            if self.opens and self._driven is not None and self._scene() is not None:
                self.opens = False
                self.call_later(self.run_action, "decide")
        if peeks is not None:
            self._peeks = peeks
        second = clock.now_utc().strftime("%H:%M:%S")
        if state is not None or peeks is not None or second != self._second or ended:
            self._second = second
            self._renew()
        if ended and self.driving is not None:
            self._driver_ended(self.driving)

    def _take_state(self, state: RunState) -> None:
        first = self._state is None or self._state.run != state.run
        if self._state is not None and not first and state.adopted != self._state.adopted:
            self._plans.pop(state.run, None)  # the run has other steps now
        self._state = state
        if state.run not in self._plans:
            self._read_plan(state.run)
        elif first or (self._before is not None and state.resumes > self._before.resumes):
            self._greet()
        self._renew_greeting()

    def _greet(self) -> None:
        """After a resume: say what happened while nobody was here."""
        before, self._before = self._before, None
        scene = self._scene()
        if before is None or scene is None:
            return
        gone = away(replace(scene, state=before))
        self._greeting = f"While you were away, {lasting(gone)}", before
        self._tell_greeting(scene)

    def _renew_greeting(self) -> None:
        """Keep what is said there true for as long as it is shown: looks may still be out."""
        scene = self._scene()
        if scene is not None and self.pane.greets:
            self._tell_greeting(scene)

    def _tell_greeting(self, scene: Scene) -> None:
        if self._greeting is not None:
            title, before = self._greeting
            self.pane.show_resume(title, resume_sections(scene, before, self._audited))

    @work(thread=True)
    def _read_plan(self, run: str) -> None:
        try:
            plan = self._backend.recorded(run).plan
        except BackendError as problem:
            self.app.call_from_thread(self._cannot, problem)
            return
        self.app.call_from_thread(self._have_plan, run, plan)

    def _have_plan(self, run: str, plan: Plan) -> None:
        self._plans[run] = plan
        self._step, self._own_choice = "", False
        self._renew()

    def _driver_ended(self, driving: Driving) -> None:
        """The driver is gone: say how, or go when the operator wanted to."""
        self.driving, self._drive, self._asking = None, None, ""
        if self._leaving:
            self.app.exit(driving.ended.code if driving.ended else 1)
            return
        ended = driving.ended
        self.code = ended.code if ended else 1
        if ended is not None and ended.code == IN_USE and self._state is not None:
            self._turn_to_watching(self._state.run, ended)
        elif ended is not None and ended.by is not None and ended.by.run:
            self.in_use(ended, ended.by)
        elif ended is not None and ended.sentence:
            self._cannot(BackendError(ended.sentence, ended.advice))
        elif driving.failure is not None:
            words = f"The driver failed: {driving.failure!r}. Running steps go on."
            self._cannot(BackendError(words, "Leave with q, then run: runbook resume"))
        else:
            self._renew()

    def _turn_to_watching(self, run: str, ended: Ended) -> None:
        """Somebody else drives: this screen reads on."""
        self._lost = ended.sentence
        self._follow(run)
        self._renew()

    def in_use(self, ended: Ended, by: Driven) -> None:
        """The place is in use by another run; a screen may do more than say so."""
        self._cannot(BackendError(ended.sentence, ended.advice))

    def _scene(self) -> Scene | None:
        state = self._state
        if state is None or state.run not in self._plans:
            return None
        return Scene(
            plan=self._plan(state),
            state=state,
            now=clock.now_utc(),
            glyphs=glyphs_of(self),
            peeks=self._peeks,
            driving=self.is_driving,
            held=self._held,
            away=self.operator.away,
            driven=self._driven,
            me=f"{self._backend.operator}@{self._backend.host}",
        )

    def _plan(self, state: RunState) -> Plan:
        """Return the run's plan with the hosts and items that are fixed."""
        written = self._plans[state.run]
        known = self._expanded
        if known is None or known[:2] != (id(written), len(state.instances)):
            known = self._expanded = (id(written), len(state.instances), plans.of(written, state))
        return known[2]

    def _renew(self) -> None:
        scene = self._scene()
        if scene is None or not self.is_attached:
            return
        self.header.show(header(scene))
        self.checklist.show(step_lines(scene))
        current = current_step(scene.state, scene.plan)
        self.checklist.fit(self.checklist.current if self._own_choice else current or "")
        if not self._own_choice and current is not None:
            self.checklist.choose(current)
        self._step = self.checklist.current
        self._watch(scene)
        self._renew_bar(scene)
        self._renew_keys(scene)
        self.call_later(self._renew_pane, scene)

    async def _renew_pane(self, scene: Scene) -> None:
        if not self.is_attached:
            return
        await self.pane.show(scene, self._step)
        if self.size.width >= WIDE:
            step = next((each for each in scene.plan.steps() if each.id == self._step), None)
            described = self._backend.describe(step) if step else ()
            self.side.show(side_sections(scene, step, described))

    def _watch(self, scene: Scene) -> None:
        """Look at the attempts whose output is on the screen or still runs."""
        wanted = {stands.id: attempt.directory for stands, attempt in scene.state.open_attempts()}
        chosen = scene.state.steps.get(self._step)
        shown = [chosen] if chosen is not None else []
        if chosen is not None and chosen.action == GROUP_ACTION:
            shown = list(scene.state.children(chosen.id))
        for stands in shown:
            if stands.last is not None:
                wanted[stands.id] = stands.last.directory
        self._watcher.want(wanted)

    def _renew_bar(self, scene: Scene) -> None:
        question = self._open_question(scene.state)
        leaves = self.bar.asking is not None and self.bar.asking.id == decisions.HANDING_OVER
        if question is not None and scene.driving and not leaves:
            place = decisions.placed(scene.state, question)
            self.bar.show_ask(decisions.ask(scene, question, place))
            self._call_for(scene, question)
            self.question_shown(scene, question)
        elif self.bar.asking is None or self.bar.asking.id not in OPENED:
            self.bar.show_now(self._now(scene))
            self._set_title(scene, "")

    def _now(self, scene: Scene) -> Now:
        """Return what the bar says while nothing is asked here."""
        if self._asking:
            return Now(text("Asking"), ((safe(self._asking), EMPTY),))
        if scene.driving or scene.driven is None:
            return now_bar(scene, wide=self.size.width >= WIDE)
        by = watching.replaced(scene.state) if self._drove else ""
        return watching.now_bar(scene, by or self._lost)

    def _open_question(self, state: RunState) -> Question | None:
        """Return the question that the bar shows: the one walked to, else the first."""
        chosen = state.question(self._question) if self._question else None
        return chosen or first_question(state)

    def _call_for(self, scene: Scene, question: Question) -> None:
        """Ring once for a new question, and again after 2, 5 and 15 minutes."""
        now = scene.now.timestamp()
        asked, since, rung = self._rung
        if asked != question.id:
            self._rung = (question.id, now, 0)
            self._ring(question)
            self._set_title(scene, "? ")
        elif rung < len(BELLS) and now - since > BELLS[rung]:
            self._rung = (asked, since, rung + 1)
            self._ring(question)

    def _ring(self, question: Question) -> None:
        call = getattr(self.app, "call_operator", None)
        if call is not None:
            call(question.text)

    def _set_title(self, scene: Scene, mark: str) -> None:
        set_title = getattr(self.app, "set_terminal_title", None)
        if set_title is not None:
            set_title(f"{mark}{safe(scene.plan.runbook).plain} · runbook")

    def _renew_keys(self, scene: Scene | None) -> None:
        width = self.size.width
        if self._typing():
            shown = keys.TYPING
            if isinstance(self.focused, NoteArea):
                shown = keys.NOTING
            elif isinstance(self.focused, Field) and self.pane.form in self.focused.ancestors:
                shown = keys.FORM
        elif self.bar.has_the_focus:
            shown = keys.choosing(glyphs_of(self))
        else:
            asks = bool(scene and scene.driving and scene.state.questions)
            watched = bool(scene and scene.driven and not scene.driving)
            votes = bool(scene and watched and watching.asks_approval(scene.state))
            can = bool(scene and (scene.driving or watched) and not scene.state.final)
            decides = (scene is None or can) and not self._asking
            shown = keys.looking(
                asks=asks or votes,
                wide=width >= WIDE,
                decides=decides,
                word="decide" if votes or not watched else "take over",
            )
        self.keys.show(*shown)

    def _typing(self) -> bool:
        return isinstance(self.focused, Field | NoteArea)

    def watch_focused(self) -> None:
        """Draw the titles in the frame of the key: the events of the focus come a frame later."""
        self.checklist_title.focused(self.focused is self.checklist)
        self.pane.title.focused(self.focused is not None and self.pane in self.focused.ancestors)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the keys that work where the focus is."""
        self._renew_keys(self._scene())

    def on_resize(self, event: events.Resize) -> None:
        """One, two or three columns."""
        self.set_class(event.size.width < NARROW, "narrow")
        wide = event.size.width >= WIDE
        self.set_class(wide, "wide")
        self.checklist_title.show(text("Steps"), "took   usual" if wide else "")
        self._renew()

    def question_shown(self, scene: Scene, question: Question) -> None:
        """The bar shows a question; a screen may do more."""

    def links(self) -> Mapping[str, str]:
        """Return the links of the runbook and of the shown step, for the palette."""
        scene = self._scene()
        if scene is None:
            return {}
        step = next((each for each in scene.plan.steps() if each.id == self._step), None)
        return {**scene.plan.links, **(step.links if step else {})}

    def in_few_words(self) -> tuple[str, bool, str, str]:
        """Return place, whether it is protected, what runs, and the run: for a tiny terminal."""
        scene = self._scene()
        if scene is None:
            return "", False, "", ""
        head = header(scene)
        return head.place, head.protected, scene.plan.runbook, scene.state.run
