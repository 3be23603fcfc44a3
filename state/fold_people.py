"""What people say who do not drive, and who drives instead of whom.

- A message of the inbox is taken once: its id is never seen again in the run.
- An approval belongs to an open question that asks for one; of each identity the latest counts.
  So does a reminder, which is a note on its step too.
- `taken_over` comes from the driver that `run_resumed` made, `handed_over` from one that has not
  left.
- A note is its writer's: the sender's when it came through the inbox, else the driver's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from state.events import (
    ApprovalGiven,
    ApproversReminded,
    HandedOver,
    MessageTaken,
    NoteAdded,
    NoteReceived,
    Record,
    TakenOver,
)
from state.fold_draft import RunDraft
from state.fold_steps import refuse
from state.messages import DAMAGED, KINDS
from state.run_state import Approval, Note, Question, Replaced

HOW: Final = frozenset({"yielded", "left", "expired", "silent"})


def message_taken(draft: RunDraft, record: Record, payload: MessageTaken) -> None:
    """Note that a message was taken, so that it never is again."""
    if payload.what not in KINDS | {DAMAGED}:
        refuse(record, f"nobody sends {payload.what}")
    if payload.id in draft.messages:
        refuse(record, f"the message {payload.id} was taken before")
    draft.messages |= {payload.id}


def approved(draft: RunDraft, record: Record, payload: ApprovalGiven) -> None:
    """Keep an approval with its question."""
    question = _asked(draft, record, payload.question)
    given = Approval(
        payload.operator,
        payload.host,
        payload.identity,
        payload.reason,
        record.at,
        payload.until,
    )
    others = [one for one in question.approvals if one.identity != payload.identity]
    _renew(draft, question, replace(question, approvals=(*others, given)))


def reminded(draft: RunDraft, record: Record, payload: ApproversReminded) -> None:
    """Keep with its question when others were reminded of it, and as a note on the step."""
    question = _asked(draft, record, payload.question)
    _renew(draft, question, replace(question, reminders=(*question.reminders, record.at)))
    watched = f"; {', '.join(payload.online)} watched" if payload.online else ""
    text = f"Reminded those who may approve it{watched}"
    note = Note(text, question.step, record.operator, record.host, record.at)
    if question.step is None:
        draft.notes = (*draft.notes, note)
    else:
        step = draft.step(question.step, record)
        step.notes = (*step.notes, note)


def _asked(draft: RunDraft, record: Record, id_: str) -> Question:
    question = next((one for one in draft.questions if one.id == id_), None)
    if question is None or question.asks != "approval":
        refuse(record, f"the question {id_} is not open, or asks for no approval")
    return question


def _renew(draft: RunDraft, before: Question, after: Question) -> None:
    draft.questions = tuple(after if one is before else one for one in draft.questions)


def taken_over(draft: RunDraft, record: Record, payload: TakenOver) -> None:
    """Note whom the present driver replaced."""
    if payload.how not in HOW:
        refuse(record, f"nobody takes over as {payload.how}")
    draft.replaced = Replaced(
        payload.before,
        payload.host,
        record.operator,
        record.host,
        payload.reason,
        payload.how,
        record.at,
    )


def handed_over(draft: RunDraft, record: Record, payload: HandedOver) -> None:
    """Nothing changes yet: the driver leaves with its next event."""
    if not payload.to:
        refuse(record, "a run is handed over to somebody")


def noted(draft: RunDraft, record: Record, payload: NoteAdded | NoteReceived) -> None:
    """Keep a note on its step, or on the run."""
    writer, host = record.operator, record.host
    if isinstance(payload, NoteReceived):
        writer, host = payload.sender, payload.host
    note = Note(payload.text, payload.step, writer, host, record.at)
    if payload.step is None:
        draft.notes = (*draft.notes, note)
    else:
        step = draft.step(payload.step, record)
        step.notes = (*step.notes, note)
