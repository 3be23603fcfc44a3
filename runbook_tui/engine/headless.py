"""The operator of a run without a screen: one line for each event, answers from policy."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final, Protocol

from runbook_tui.engine import messages, telling
from runbook_tui.engine.ports import Answer, Command, Leave, NoAnswer
from state.events import Record
from state.run_state import Question, RunState

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Answers(Protocol):
    """Whoever answers in advance: what the operator said, or a demo's policy."""

    def answer(self, question: Question) -> Answer:
        """Return the answer to a question. Raises NoAnswer."""


class HeadlessOperator:
    """Prints through `say`, one line each; leaves the run when a signal comes.

    Use as a context manager in the main thread: it hears signals between enter and exit.
    """

    def __init__(self, answers: Answers, say: Callable[[str], None]) -> None:
        self._answers = answers
        self._say = say
        self._told = threading.Event()
        self._signal: str | None = None
        self._run = "RUN"
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> HeadlessOperator:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal gave back
        self._before = {}

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._signal = signal.Signals(number).name
        self._told.set()

    def ask(self, question: Question) -> Answer:
        """Answer from policy; whoever wants to drive may, as nobody sits here. Raises NoAnswer."""
        if question.asks == messages.TAKEOVER:
            return Answer(question.id, messages.YIELD, "policy", "nobody sits at this driver")
        for line in telling.asked(question):
            self._say(line)
        try:
            return self._answers.answer(question)
        except NoAnswer:
            self._say(telling.no_answer(question, self._run))
            raise

    def refused(self, question: Question, sentence: str) -> None:
        """Say why an answer given in advance did not count."""
        self._say(f"  not accepted: {sentence}")

    def publish(self, state: RunState, records: Sequence[Record]) -> None:
        """Print what was journaled."""
        self._run = state.run
        for record in records:
            line = telling.line(state, record)
            if line is not None:
                self._say(line)

    def store_away(self, sentence: str | None) -> None:
        """Say that the run waits for its store, or that it goes on."""
        self._say(telling.store_away(sentence))

    def commands(self, timeout: float) -> Sequence[Command]:
        """Wait; a signal is the wish to leave."""
        if not self._told.wait(timeout):
            return ()
        return (Leave(f"interrupted by {self._signal}", signal=True),)


class DemoPolicy:
    """Answers for the practice deployment: everything is confirmed, nothing is vouched for.

    `manual` steps are answered with the reason `demo policy`, and prove nothing.
    """

    REASON: Final = "demo policy"

    def answer(self, question: Question) -> Answer:
        """Return the answer to a question. Raises NoAnswer after a failure."""
        if question.asks == "manual":
            record = question.shown.get("record")
            names = record.keys() if isinstance(record, dict) else ()
            return Answer(
                question.id, question.choices[0], "policy", self.REASON, dict.fromkeys(names, "-")
            )
        if question.asks in ("confirm", "typed", "start"):
            fields = {"typed": question.typed} if question.typed else {}
            return Answer(question.id, "yes", "policy", self.REASON, fields)
        raise NoAnswer
