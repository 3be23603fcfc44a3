"""The one loop that drives a run: poll what is live, decide, act, ask, obey.

Nothing is done that is not journaled before, and nothing is published that is not on disk. The loop
ends when the run is over, hands over to its rollback, is left, or waits for answers that policy
does not have.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from runbook_tui.definition.plan import Plan, PlanStep
from runbook_tui.engine import acts, clock, questions
from runbook_tui.engine import decisions as d
from runbook_tui.engine.attempts import Attempts
from runbook_tui.engine.decide import decide
from runbook_tui.engine.facts import Facts
from runbook_tui.engine.people import People
from runbook_tui.engine.plans import LivePlan
from runbook_tui.engine.ports import (
    Abort,
    AddNote,
    Answer,
    Command,
    HandOver,
    Hold,
    Leave,
    NoAnswer,
    Operator,
    Release,
    Remind,
    RollBack,
    StopStep,
    TakeBack,
)
from runbook_tui.engine.recorder import Recorder
from state.events import (
    NoteAdded,
    Payload,
    QuestionAnswered,
    RunEnded,
    RunLeft,
    StepJudged,
    StopAsked,
)
from state.run_state import Question
from state.status import StepStatus

QUICK: Final = 0.002
SLOW: Final = 0.05
IDLE: Final = 0.25
"""Seconds between two turns: just after something moved, while a worker is at it, while asked."""


NEVER: Final = "9"
"""A time after all that the journal writes."""


@dataclass(frozen=True, slots=True)
class Parting:
    """How the loop ended. `reason` is None for an end of its own."""

    kind: Literal["ended", "rollback", "adopt", "left", "unanswered"]
    reason: str | None = None
    signal: bool = False
    replaced: bool = False
    """Somebody else drives, or is about to."""


class Driver:
    """Drives one run to a parting. All of it happens in the thread that calls `drive`."""

    def __init__(
        self,
        live: LivePlan,
        recorder: Recorder,
        attempts: Attempts,
        operator: Operator,
        acts_: acts.Acts,
        people: People,
    ) -> None:
        self._live = live
        self._recorder = recorder
        self._attempts = attempts
        self._operator = operator
        self._acts = acts_
        self._people = people
        self._held = False
        self._leaving: Leave | HandOver | None = None
        self._presented: set[str] = set()
        self._unanswered: set[str] = set()
        self._moved_at = 0.0
        self._decided: tuple[int, Facts] | None = None
        self._due = NEVER

    @property
    def _plan(self) -> Plan:
        return self._live.now

    @property
    def _steps(self) -> Mapping[str, PlanStep]:
        return self._live.steps

    def drive(self, first: Sequence[Command] = ()) -> Parting:
        """Obey `first`, then drive until there is nothing more that this session can do."""
        self._people.begin()
        self._attempts.take_up()
        for command in first:
            self._obey(command)
        while True:
            moved = self._take_mail()
            moved = self._attempts.poll() or moved
            moved = self._decide() or moved
            moved = self._ask() or moved
            parting = self._parting(moved=moved)
            if parting is not None:
                return parting
            for command in self._operator.commands(self._pace(moved=moved)):
                self._obey(command)

    def _pace(self, *, moved: bool) -> float:
        now = time.monotonic()
        if moved:
            self._moved_at = now
        if not self._attempts.live():
            return QUICK if moved else IDLE
        return min(SLOW, max(QUICK, (now - self._moved_at) / 10))

    # What others say

    def _take_mail(self) -> bool:
        """Obey the messages that came: their events are journaled before anything is done."""
        found = self._people.take_mail()
        for payload in found:
            if isinstance(payload, StopAsked):
                self._attempts.stop(self._steps[payload.step], payload.reason)
        return bool(found)

    # Deciding

    def _decide(self) -> bool:
        """Carry out what may happen now, one decision at a time: each changes what may follow.

        Between two turns mostly nothing has changed; then there is nothing to decide.
        """
        moved = False
        while True:
            facts = Facts(
                clock.utc(), self._attempts.busy(), self._held, self._attempts.elsewhere()
            )
            known = (self._recorder.state.seq, replace(facts, now=""))
            if known == self._decided and facts.now < self._due:
                return moved
            found = decide(self._plan, self._recorder.state, facts)
            if not found:
                self._decided, self._due = known, self._next_time(facts.now)
                return moved
            self._carry_out(found[0])
            moved = True

    def _next_time(self, now: str) -> str:
        """Return when a retry or a `wait` is due next, as the journal writes times."""
        times = [
            until
            for one in self._recorder.state.steps.stirred()
            for until in (one.retry_until, one.wait_until)
            if until is not None and one.status is StepStatus.RUNNING and until > now
        ]
        return min(times, default=NEVER)

    def _carry_out(self, decision: d.Decision) -> None:
        if isinstance(decision, d.Begin):
            self._attempts.begin(self._steps[decision.step], undo=decision.undo)
        elif isinstance(decision, d.StopAttempt):
            self._attempts.stop(self._steps[decision.step], decision.reason)
        elif isinstance(decision, d.Verify):
            answer = self._recorder.state.steps[decision.step].answer
            if answer is not None:
                self._attempts.verify(self._steps[decision.step], answer)
        elif isinstance(decision, d.DeclareDead):
            answer = self._recorder.state.steps[decision.step].answer
            if answer is not None:
                self._attempts.declare_dead(self._steps[decision.step], answer)
        else:
            self._record(self._acts.payloads(decision, self._recorder.state))

    # Asking

    def _ask(self) -> bool:
        """Put new questions to the operator; policy answers at once or not at all.

        A rollback's confirmation comes first, and after an answer it is decided anew: what else is
        open may need none any more.
        """
        open_ = sorted(self._recorder.state.questions, key=lambda one: one.asks != "rollback")
        for question in open_:
            if question.id in self._presented:
                continue
            self._presented.add(question.id)
            try:
                answer = self._operator.ask(question)
            except NoAnswer:
                self._unanswered.add(question.id)
                continue
            if answer is None:
                continue
            if self._answer(answer):
                return True
            self._unanswered.add(question.id)
        return False

    def _answer(self, answer: Answer) -> bool:
        """Journal an answer that counts. One to a question that is not open does nothing."""
        question = self._recorder.state.question(answer.question)
        if question is None:
            return False
        step = self._steps.get(question.step or "")
        sentence = questions.problem(question, answer, step)
        if sentence is not None:
            self._operator.refused(question, sentence)
            return False
        fields = {name: text for name, text in answer.fields.items() if name != "typed"}
        self._recorder.record(
            QuestionAnswered(question.id, answer.choice, answer.by, answer.reason, fields)
        )
        return True

    # Obeying

    def _obey(self, command: Command) -> None:
        state = self._recorder.state
        if isinstance(command, Answer):
            self._answer(command)
        elif isinstance(command, StopStep):
            self._stop(command)
        elif isinstance(command, AddNote):
            # A step that an `each` has replaced since is there no more: the note is the run's then.
            step = command.step if command.step in state.steps else None
            self._recorder.record(NoteAdded(command.text, step))
        elif isinstance(command, Hold | Release):
            self._held = isinstance(command, Hold)
        elif isinstance(command, Leave | HandOver):
            self._leaving = command
        elif isinstance(command, Abort):
            self._record(self._acts.abort(state, command.reason))
        elif isinstance(command, Remind | TakeBack):
            self._record(self._acts.of_approval(command, state, self._people.online()))
        elif isinstance(command, RollBack):
            self._record(self._acts.ask_rollback(state, command.reason))
        else:
            self._record(self._acts.not_now(state, command.question))

    def _stop(self, command: StopStep) -> None:
        """Stop a running attempt, or waiting for a time."""
        step = self._steps[command.step]
        stands = self._recorder.state.steps[command.step]
        if stands.open_attempt is not None:
            self._attempts.stop(step, command.reason)
        elif stands.retry_until is not None or stands.wait_until is not None:
            reason = f"Stopped waiting: {command.reason}"
            self._record((StepJudged(step.id, StepStatus.FAILED.value, reason=reason),))

    def _record(self, payloads: Sequence[Payload]) -> None:
        """Journal events; a run that is over takes none any more."""
        if payloads and not self._recorder.state.final:
            self._recorder.record(*payloads)

    # Parting

    def _parting(self, *, moved: bool) -> Parting | None:
        state = self._recorder.state
        if state.rollback_by is not None:
            return Parting("rollback")
        if state.final:
            return Parting("ended", state.reason)
        if self._leaving is not None:
            return self._leave(self._leaving)
        replaced = self._people.replaced()
        if replaced is not None:
            return Parting("left", replaced, replaced=True)
        if state.adopting:
            return Parting("adopt")
        if moved or not self._unanswered or self._attempts.live() or self._timed():
            return None
        return self._give_up([one for one in state.questions if one.id in self._unanswered])

    def _leave(self, wish: Leave | HandOver) -> Parting:
        if isinstance(wish, HandOver):
            reason = self._people.hand_over(wish.to, wish.reason)
            return Parting("left", reason)
        self._recorder.record(RunLeft(wish.reason))
        return Parting("left", wish.reason, wish.signal)

    def _timed(self) -> bool:
        """Whether a retry or a `wait` will move by itself."""
        return any(
            one.status is StepStatus.RUNNING
            and (one.retry_until is not None or one.wait_until is not None)
            for one in self._recorder.state.steps.values()
        )

    def _give_up(self, open_: list[Question]) -> Parting | None:
        """Stop, resumable, because policy has no answer and nothing else moves."""
        if not open_:
            self._unanswered.clear()
            return None
        reason = f'no answer to "{open_[0].text}"'
        state = self._recorder.state
        if any(self._follows_failure(one) for one in open_):
            self._recorder.record(RunEnded("failed", state.failures, reason))
        else:
            self._recorder.record(RunLeft(reason))
        return Parting("unanswered", reason)

    def _follows_failure(self, question: Question) -> bool:
        """Whether a step failed and this question is what came of it."""
        steps = self._recorder.state.steps
        if question.step is not None:
            return steps[question.step].status is StepStatus.FAILED
        return question.asks == "rollback" and any(
            steps[step.id].status is StepStatus.FAILED and step.on_failure != "continue"
            for step in self._steps.values()
        )
