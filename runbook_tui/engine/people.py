"""The driver and the people who do not drive: their messages, and giving the run away to them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from runbook_tui.engine import environments_in_use, messages
from runbook_tui.engine.mail import Mail
from runbook_tui.engine.recorder import Recorder
from state.errors import StoreError
from state.events import (
    HandedOver,
    Payload,
    QuestionAsked,
    QuestionWithdrawn,
    RunLeft,
)
from state.messages import Message
from state.protocols import Lease
from state.run_state import Answered, Question
from state.stores.store import Store


class People:
    """What others tell the driver of one run. Not thread-safe: the driver's alone."""

    def __init__(self, store: Store, recorder: Recorder, leases: Sequence[Lease]) -> None:
        self._store = store
        self._recorder = recorder
        self._leases = leases
        self._mail = Mail(store.inbox)
        self._wanted: tuple[str, float] | None = None
        """The question whether somebody may take over, and until when it is awaited."""

    def begin(self) -> None:
        """Withdraw what an earlier driver was asked: whoever asked it is not waiting any more."""
        for question in self._recorder.state.questions:
            if question.asks == messages.TAKEOVER:
                self._recorder.record(QuestionWithdrawn(question.id, "the driver has changed"))

    def take_mail(self) -> Sequence[Payload]:
        """Journal what the messages that came amount to; return those events.

        Raises InUse when the lease is known to be lost, StoreError.
        """
        if any(lease.lost() for lease in self._leases):
            raise environments_in_use.lost(self._store, self._recorder.state.run)
        found: list[Payload] = []
        for message in self._recorder.until_back(self._new):
            if self._recorder.state.final:
                break
            found += self._take(message)
        for payload in found:
            if isinstance(payload, QuestionAsked):
                self._wanted = (payload.id, time.monotonic() + messages.PATIENCE)
        return found

    def _new(self) -> Sequence[Message]:
        return self._mail.new(self._recorder.state)

    def _take(self, message: Message) -> Sequence[Payload]:
        """Journal what a message amounts to; a store that is away meanwhile is awaited."""
        patiently, state = self._recorder.until_back, self._recorder.state
        made = patiently(lambda: messages.events(message, state, self._store.identities))
        self._recorder.record(*made)
        patiently(lambda: self._mail.done(message))
        return made

    def replaced(self) -> str | None:
        """Leave when somebody else is to go on, and return why; None while that is not so."""
        if self._wanted is None:
            return None
        id_, until = self._wanted
        question = self._recorder.state.question(id_)
        if question is not None:
            if time.monotonic() < until:
                return None
            silent = f"no answer in {messages.PATIENCE:.0f} s"
            self._recorder.record(QuestionWithdrawn(id_, silent), *_left(question))
            return _why(question)
        self._wanted = None
        answer = self._recorder.state.answered.get(id_)
        if answer is None or answer.choice != messages.YIELD:
            return None
        self._recorder.record(*_left(answer.question))
        return _why(answer.question)

    def hand_over(self, to: str, reason: str) -> str:
        """Leave so that `to` may go on; return what is recorded as the reason."""
        said = f"handed over to {to}: {reason}"
        self._recorder.record(HandedOver(to, reason), RunLeft(said))
        return said

    def online(self) -> Sequence[str]:
        """Return who watches the run now; nobody when that cannot be found out."""
        try:
            found = self._store.presence.watching(self._recorder.state.run)
        except StoreError:
            return ()
        return tuple(f"{one.operator}@{one.host}" for one in found)


def stayed(answer: Answered) -> str:
    """Return what is told to whoever wanted to drive and may not."""
    return f"{answer.operator}@{answer.host} goes on driving" + (
        f": {answer.reason}" if answer.reason else ""
    )


def _left(question: Question) -> tuple[Payload, ...]:
    to = question.shown.get("to")
    left = RunLeft(_why(question))
    return (HandedOver(str(to), str(question.shown.get("reason"))), left) if to else (left,)


def _why(question: Question) -> str:
    shown = question.shown
    if shown.get("to"):
        return f"handed over to {shown['to']}: {shown['reason']}"
    return f"{shown['by']}@{shown['host']} takes over: {shown['reason']}"
