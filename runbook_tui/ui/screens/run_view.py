"""How a run is shown: from its states to the widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import Reactive
from textual.widget import Widget

from runbook_tui.ui import asking_others, clock, decisions, keys, menu, watching
from runbook_tui.ui.attention import current_step, first_question
from runbook_tui.ui.backend import Backend, BackendError, Ended
from runbook_tui.ui.bells import Bells
from runbook_tui.ui.bridge import ScreenOperator
from runbook_tui.ui.checklist import step_lines
from runbook_tui.ui.heading import header
from runbook_tui.ui.now_bar import now_bar
from runbook_tui.ui.resume_summary import away, resume_sections
from runbook_tui.ui.scene import Scene
from runbook_tui.ui.screens.notes import NoteArea
from runbook_tui.ui.screens.run_feed import RunFeed
from runbook_tui.ui.screens.step_pane import StepPane
from runbook_tui.ui.side import side_sections
from runbook_tui.ui.sizes import NARROW, WIDE
from state.run_state import GROUP_ACTION, Question, RunState
from widgets.ask import Now
from widgets.decision_bar import DecisionBar
from widgets.durations import lasting
from widgets.field import Field
from widgets.key_bar import KeyBar
from widgets.pane_title import Divider, PaneTitle
from widgets.rows import EMPTY, glyphs_of, text
from widgets.run_header import Header, RunHeader
from widgets.safe import safe
from widgets.step_tree import StepTree
from widgets.text_pane import TextPane

OPENED = (menu.MENU, menu.HANDING_OVER, watching.WATCH, watching.VOTE)
"""What the operator opened in the bar: it stays until they leave it."""

CLOSED_FOR = 10.0
"""Seconds for which it is said that a question was closed."""


class RunView(RunFeed):
    """The widgets of one run."""

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
        super().__init__(backend, drive, run=run, operator=operator, wants=wants)
        self._expects_rollback = rolls_back
        self._greeting: tuple[str, RunState] | None = None
        self._step = ""
        self._own_choice = False
        self._question = ""
        self._bells = Bells()
        self._ending = "", 0.0
        """How a question that others were asked has ended, and until when that is said."""
        self._zoomed = False
        self._came_from: Widget | None = None
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
        """Say that the run is read."""
        self.checklist.focus()
        self.bar.show_now(Now(text("Now"), ((text("Reading the run."), EMPTY),)))

    def _cannot(self, problem: BackendError) -> None:
        lines = [(safe(problem.sentence), EMPTY)]
        if problem.advice:
            lines.append((safe(problem.advice), EMPTY))
        self._stands_still = Now(text("This cannot go on"), tuple(lines))
        self.bar.show_now(self._stands_still)

    def _tell(self, words: Content) -> None:
        self.keys.say(words)

    def _greet(self) -> None:
        """After a resume: say what happened while nobody was here."""
        before, self._before = self._before, None
        scene = self._scene()
        if before is None or scene is None:
            return
        gone = away(replace(scene, state=before))
        self._greeting = f"While you were away, {lasting(gone)}", before
        self._tell_greeting(scene)

    def _state_taken(self, before: RunState | None) -> None:
        """Keep what is said there true for as long as it is shown: looks may still be out."""
        scene = self._scene()
        if scene is not None and self.pane.greets:
            self._tell_greeting(scene)
        if scene is not None and before is not None:
            self._tell_closed(scene, asking_others.closed(before, scene.state))

    def _tell_closed(self, scene: Scene, words: str) -> None:
        """Say by whom and when a question was closed, and leave the bar where it was asked."""
        if not words:
            return
        if scene.driving:
            self._tell(safe(words))
            return
        self._ending = words, scene.now.timestamp() + CLOSED_FOR
        if self.bar.asking is not None and self.bar.asking.id == watching.VOTE:
            self.bar.show_now(self._now(scene))

    def _tell_greeting(self, scene: Scene) -> None:
        if self._greeting is not None:
            title, before = self._greeting
            self.pane.show_resume(title, resume_sections(scene, before, self._audited))

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
        leaves = self.bar.asking is not None and self.bar.asking.id == menu.HANDING_OVER
        if question is not None and scene.driving and not leaves:
            place = decisions.placed(scene.state, question)
            self.bar.show_ask(decisions.ask(scene, question, place))
            if self._bells.due(question.id, scene.now.timestamp()):
                self._call(question.text)
                self._set_title(scene, "? ")
            self.question_shown(scene, question)
        elif self.bar.asking is None or self.bar.asking.id not in OPENED:
            self.bar.show_now(self._now(scene))
            calls = watching.calls(scene)
            if calls is not None and self._bells.due(calls.id, scene.now.timestamp()):
                self._call(calls.words)
            self._set_title(scene, "? " if calls is not None else "")

    def _now(self, scene: Scene) -> Now:
        """Return what the bar says while nothing is asked here."""
        if self._asking:
            return Now(text("Asking"), ((safe(self._asking), EMPTY),))
        if self._stands_still is not None and not scene.driving and scene.driven is None:
            return self._stands_still
        if self.operator.waits:
            return Now(text("Waiting for its place"), ((safe(self.operator.waits), EMPTY),))
        if scene.driving or scene.driven is None:
            return now_bar(scene, wide=self.size.width >= WIDE)
        by = watching.replaced(scene.state) if self._drove else ""
        words, until = self._ending
        closed = words if scene.now.timestamp() < until else ""
        return watching.now_bar(scene, closed or by or self._lost)

    def _open_question(self, state: RunState) -> Question | None:
        """Return the question that the bar shows: the one walked to, else the first."""
        chosen = state.question(self._question) if self._question else None
        return chosen or first_question(state)

    def _call(self, words: str) -> None:
        """Ring, with words for whoever wants a notice."""
        call = getattr(self.app, "call_operator", None)
        if call is not None:
            call(words)

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
                hosts=self.focused is self.pane.hosts.table,
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
