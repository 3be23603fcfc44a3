"""Where the states of a run come from: its driver here, one elsewhere, or the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual import work
from textual.content import Content
from textual.screen import Screen

from runbook_tui import parting
from runbook_tui.engine import plans
from runbook_tui.exits import IN_USE
from runbook_tui.ui import clock
from runbook_tui.ui.attendance import Attendance
from runbook_tui.ui.backend import Audited, Backend, BackendError, Driven, Ended, Recorded
from runbook_tui.ui.bridge import Driving, ScreenOperator, Watcher
from runbook_tui.ui.following import Follower
from runbook_tui.ui.scene import Peek, Scene
from state.run_state import RunState
from widgets.ask import Now
from widgets.rows import glyphs_of, text
from widgets.safe import safe

if TYPE_CHECKING:
    from runbook_tui.definition.plan import Plan
    from runbook_tui.ui.app import RunbookApp


class RunFeed(Screen[None]):
    """The newest state of one run, driven by this session or only followed."""

    def __init__(
        self,
        backend: Backend,
        drive: Callable[[ScreenOperator], Ended] | None,
        *,
        run: str | None = None,
        operator: ScreenOperator | None = None,
        wants: str = "",
    ) -> None:
        """`drive` starts or resumes the run, in a thread; without it `run` is only shown.

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
        self._attendance = Attendance(backend)
        self._plans: dict[str, Plan] = {}
        self._expanded: tuple[int, int, Plan] | None = None
        self._state: RunState | None = None
        self._before: RunState | None = None
        self._audited: Audited | None = None
        self._peeks: Mapping[str, Peek] = {}
        self._held = False
        self._away = ""
        self._second = ""
        self._leaving = False
        self._follower: Follower | None = None
        self._driven: Driven | None = None
        self._asking = ""
        """What goes on while whoever drives is asked to let this session drive."""
        self._drove = self._gone = False
        self.opens = False
        """Go into the bar as soon as it is known who drives."""
        self.wait_for_place: Callable[[Driven], None] | None = None
        """Goes back to the form that the run was started with, to wait until its place is free."""
        self._lost = ""
        self._stands_still: Now | None = None
        """Why nothing goes on here, for as long as that is so."""
        """Why this session does not drive, or does so no more."""
        self.code = 0
        """Exit code of what was driven here."""

    def on_mount(self) -> None:
        """Begin to drive, and to look ten times a second for what is new."""
        if self._run is not None:
            self._read_first(self._run)
        elif self._drive is not None:
            self._begin()
        self.set_interval(0.1, self._tick)

    def on_unmount(self) -> None:
        """End the watching threads."""
        self._follow(None)
        self._watcher.close()
        self._attendance.close()

    @property
    def state(self) -> RunState | None:
        """The run as it was last published."""
        return self._state

    @property
    def is_driving(self) -> bool:
        """True while the driver of this session is at it."""
        return self.driving is not None and self.driving.alive and not self._asking

    def _begin(self) -> None:
        drive, operator = self._drive, self.operator
        if drive is not None:
            self.driving = Driving(lambda: drive(operator))

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

    def _follow(self, run: str | None) -> None:
        """Follow a run that is driven elsewhere; None: no more."""
        if self._follower is not None:
            self._follower.close()
        self._follower = Follower(self._backend, run) if run is not None else None
        self._driven = None

    def _tick(self) -> None:
        """Take what is new; once a second also what only time has changed."""
        state, peeks = self.operator.take(), self._watcher.take()
        ended = self.driving is not None and not self.driving.alive
        refusal = self.operator.take_refusal()
        if refusal:
            self._tell(safe(refusal))
        if self.operator.away != self._away:
            self._away = self.operator.away
            if not self._away:
                self._tell(text("The journal is back: the run goes on."))
            self._renew()
        if state is not None:
            self._drove, self._asking, self._lost = True, "", ""
            self._stands_still = None
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
        before = self._state
        first = before is None or before.run != state.run
        if before is not None and not first and state.adopted != before.adopted:
            self._plans.pop(state.run, None)  # the run has other steps now
        self._state = state
        if state.run not in self._plans:
            self._read_plan(state.run)
        elif first or (self._before is not None and state.resumes > self._before.resumes):
            self._greet()
        self._state_taken(None if first else before)

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
        ended = driving.ended
        self.code = ended.code if ended else 1
        run = self._state.run if self._state is not None else ""
        if run and (self.code != IN_USE or self._drove):
            app: RunbookApp = self.app  # type: ignore[assignment]  # this screen belongs to that app
            app.last_words = parting.words(run, self.code)
        if self._leaving:
            self.app.exit(self.code)
            return
        if ended is not None and ended.code == IN_USE and run and _is_of(ended.by, run):
            self._turn_to_watching(run, ended)
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
            online=self._attendance.about(state),
            me=f"{self._backend.operator}@{self._backend.host}",
        )

    def _plan(self, state: RunState) -> Plan:
        """Return the run's plan with the hosts and items that are fixed."""
        written = self._plans[state.run]
        known = self._expanded
        if known is None or known[:2] != (id(written), len(state.instances)):
            known = self._expanded = (id(written), len(state.instances), plans.of(written, state))
        return known[2]

    # What a screen makes of it

    def _renew(self) -> None:
        """Show what is known now."""
        raise NotImplementedError

    def _cannot(self, problem: BackendError) -> None:
        """Say why nothing goes on here."""
        raise NotImplementedError

    def _tell(self, words: Content) -> None:
        """Say something in passing."""
        raise NotImplementedError

    def _state_taken(self, before: RunState | None) -> None:
        """Do more with a state of the run that has just come; `before` it there was another."""

    def _greet(self) -> None:
        """After a resume: say what happened while nobody was here."""

    def take_over(self, state: RunState, reason: str) -> None:
        """Drive the run here; a screen knows how."""

    def in_use(self, ended: Ended, by: Driven) -> None:
        """The place is in use by another run; a screen may do more than say so."""
        self._cannot(BackendError(ended.sentence, ended.advice))


def _is_of(by: Driven | None, run: str) -> bool:
    """Whether it is this run that somebody drives, and not another one in the same place."""
    return by is None or by.run in ("", run)
