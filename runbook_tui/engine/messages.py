"""What a message of the inbox amounts to: the events that the driver journals for it. Pure.

Each begins with `message_taken`, which bears the message's id, and all of them are journaled in one
transaction: so a message is obeyed once, whatever dies in between. What cannot be obeyed is taken
too, with the reason.
"""

from __future__ import annotations

from typing import Final

from runbook_tui.engine import approvals, clock, questions
from state.events import (
    MessageTaken,
    NoteReceived,
    Payload,
    QuestionAsked,
    StepJudged,
    StopAsked,
)
from state.messages import Message
from state.protocols import Identities
from state.run_state import RunState
from state.status import StepStatus

NOTE: Final = "note"
STOP: Final = "stop"
APPROVE: Final = approvals.APPROVE
DENY: Final = approvals.DENY
TAKE_OVER: Final = "take_over"
HAND_OVER: Final = "hand_over"

PATIENCE: Final = 30.0
"""Seconds that a driver has to answer whether somebody else may go on instead."""

STALE: Final = 2 * PATIENCE
"""Seconds after which whoever wanted to drive is not waiting any more."""

TAKEOVER: Final = "takeover"
YIELD: Final = "yield"
STAY: Final = "stay"


def events(message: Message, state: RunState, identities: Identities) -> tuple[Payload, ...]:
    """Return what is to be journaled for a message, in one transaction."""
    found = _obeyed(message, state, identities)
    if isinstance(found, str):
        return (taken(message, found),)
    return (taken(message), *found)


def taken(message: Message, refused: str | None = None) -> MessageTaken:
    """Return the event that a message was taken; `refused` says why it was not obeyed."""
    return MessageTaken(
        message.id,
        message.kind,
        message.sender,
        message.host,
        message.identity,
        message.at,
        refused,
    )


def words(message: Message, name: str) -> str:
    """Return a text that a message carries; empty when it carries none of that name."""
    found = message.data.get(name)
    return found.strip() if isinstance(found, str) else ""


def _obeyed(message: Message, state: RunState, identities: Identities) -> tuple[Payload, ...] | str:
    """Return the events of a message, or a sentence why there are none."""
    step = words(message, "step") or None
    if step is not None and step not in state.steps:
        return f"there is no step {step}"
    if message.kind == NOTE:
        return _noted(message, step)
    if message.kind == STOP:
        return _stopped(message, state, step)
    if message.kind in (APPROVE, DENY):
        return approvals.events(message, state, identities, identities.own())
    if message.kind in (TAKE_OVER, HAND_OVER):
        return _asked_to_leave(message, state)
    return f"what it asks cannot be read ({message.kind})"


def _noted(message: Message, step: str | None) -> tuple[Payload, ...] | str:
    text = words(message, "text")
    if not text:
        return "the note is empty"
    return (NoteReceived(text, step, message.sender, message.host),)


def _stopped(message: Message, state: RunState, step: str | None) -> tuple[Payload, ...] | str:
    reason = f"{message.sender}@{message.host}: {words(message, 'reason') or 'asked for'}"
    found: list[Payload] = [
        StopAsked(stands.id, attempt.number, reason)
        for stands, attempt in state.open_attempts()
        if step in (None, stands.id)
    ]
    found += [
        StepJudged(stands.id, StepStatus.FAILED.value, reason=f"Stopped waiting: {reason}")
        for stands in state.steps.values()
        if step in (None, stands.id)
        and stands.status is StepStatus.RUNNING
        and (stands.retry_until is not None or stands.wait_until is not None)
        and stands.open_attempt is None
    ]
    if found:
        return tuple(found)
    return f"{step} does not run" if step is not None else "nothing of the run runs"


def _asked_to_leave(message: Message, state: RunState) -> tuple[Payload, ...] | str:
    """Ask whoever drives whether somebody else may go on."""
    if clock.seconds_since(message.at) > STALE:
        return "it came too late: nobody waits for the answer any more"
    if any(one.asks == TAKEOVER for one in state.questions):
        return "somebody else has asked for it a moment ago"
    who = f"{message.sender}@{message.host}"
    reason = words(message, "reason")
    to = words(message, "to")
    if message.kind == HAND_OVER and not to:
        return "it does not say to whom"
    text = f"Hand the run over to {to}?" if to else f"Let {who} take over?"
    shown = {"by": message.sender, "host": message.host, "reason": reason, "to": to or None}
    shown["message"] = message.id
    return (
        QuestionAsked(questions.next_id(state), None, TAKEOVER, text, (YIELD, STAY), None, shown),
    )
