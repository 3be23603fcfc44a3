"""Which events may follow which, for the run as a whole, its questions and its notes.

- The first event is `run_started`; no other one is.
- While a question is open the run is waiting, else running; `run_ended` sets what it says.
- Nothing ends a run while an attempt is open. `succeeded` needs every step settled (succeeded,
  skipped, undone, or failed where that was allowed) and, like `aborted`, no open question. `failed`
  may leave the question open that nobody answered.
- After `run_left` or a failed end only `run_resumed`, notes and the rollback's two events follow;
  after a final end only notes and the rollback's.
- `run_rolled_back` follows the `rollback_begun` of the same linked run.
- A question's id is never used twice; a step has at most one open question; an answer is one of
  the choices. `confirm`, `typed`, `approval`, `withdrawn` (an approval that was taken back) and
  `manual` make the step wait, and it comes back to where it was when they are closed; the others
  leave it as it is: failed, unknown or, elsewhere, running.
"""

from __future__ import annotations

from typing import Final

from state.events import (
    MessageTaken,
    NoteAdded,
    NoteReceived,
    QuestionAnswered,
    QuestionAsked,
    QuestionWithdrawn,
    Record,
    RollbackBegun,
    RunEnded,
    RunLeft,
    RunResumed,
    RunRolledBack,
    RunStarted,
)
from state.fold_definition import outline
from state.fold_draft import RunDraft, StepDraft
from state.fold_steps import begin_group, refuse
from state.run_state import ADOPT, DRIFT, Answered, Question
from state.status import DONE_STEP, FINAL_RUN, RunStatus, StepStatus

WAITING_ASKS: Final = frozenset({"confirm", "typed", "approval", "withdrawn", "manual"})
ASKS: Final = WAITING_ASKS | {
    "failure",
    "unknown",
    "partial",
    "elsewhere",
    "rollback",
    "start",
    DRIFT,
    "takeover",
    "abort",
}
ENDS: Final = frozenset({RunStatus.SUCCEEDED, RunStatus.ABORTED, RunStatus.FAILED})
_OVER: Final = DONE_STEP - {StepStatus.UNDONE}
"""What is undone by a person's decision is asked about: it may be done again."""
_SETTLED: Final = DONE_STEP | {StepStatus.FAILED}
_AFTER_END: Final = (NoteAdded, NoteReceived, MessageTaken, RollbackBegun, RunRolledBack)


def start(record: Record, payload: RunStarted) -> RunDraft:
    """Return the run that `run_started` begins."""
    draft = RunDraft(
        run=record.run,
        started=payload,
        status=RunStatus.RUNNING,
        operator=record.operator,
        host=record.host,
        driver=record.operator,
        started_at=record.at,
        seq=record.seq,
        at=record.at,
        token=record.token,
        writer=record.host,
        driver_host=record.host,
        program=payload.program,
    )
    draft.touched = outline(record, payload.steps)
    return draft


def check_goes_on(draft: RunDraft, record: Record, payload: object) -> None:
    """Refuse an event that cannot follow an end of the run, or its driver's leaving."""
    if draft.status is RunStatus.ROLLED_BACK and not isinstance(
        payload, NoteAdded | NoteReceived | MessageTaken
    ):
        refuse(record, "the run is rolled back: only notes can follow")
    if isinstance(payload, _AFTER_END):
        return
    if draft.status in FINAL_RUN:
        refuse(record, f"the run is over ({draft.status})")
    if isinstance(payload, RunResumed):
        return
    if draft.status is RunStatus.FAILED or draft.left is not None:
        refuse(record, "the run was left and has not been resumed")


def resumed(draft: RunDraft, record: Record, payload: RunResumed) -> None:
    """Take the run up again."""
    draft.turn(RunStatus.WAITING if draft.questions else RunStatus.RUNNING, record)
    draft.left = draft.ended_at = draft.reason = None
    draft.resumes += 1
    draft.driver, draft.driver_host = record.operator, record.host
    draft.changed = payload.changed
    draft.refused = payload.refused
    draft.program = payload.program
    draft.adopting = False


def left(draft: RunDraft, record: Record, payload: RunLeft) -> None:
    """Note that the driver has gone on purpose."""
    draft.left = payload.reason


def ended(draft: RunDraft, record: Record, payload: RunEnded) -> None:
    """End the run, for good or (failed) until it is resumed."""
    if payload.status not in ENDS:
        refuse(record, f"a run does not end {payload.status}")
    status = RunStatus(payload.status)
    _refuse_open(draft, record, questions=status is not RunStatus.FAILED)
    if status is RunStatus.SUCCEEDED:
        for step in draft.each_step():
            if step.status not in _SETTLED:
                refuse(record, f"the step {step.id} is {step.status}")
    draft.turn(status, record)
    draft.failures = payload.failures
    draft.reason = payload.reason
    draft.ended_at = record.at


def rollback_begun(draft: RunDraft, record: Record, payload: RollbackBegun) -> None:
    """Note the linked run that takes this one back."""
    _refuse_open(draft, record, questions=False)
    draft.rollback_by = payload.by


def rolled_back(draft: RunDraft, record: Record, payload: RunRolledBack) -> None:
    """Mark the steps whose effect the linked run took back."""
    if payload.by != draft.rollback_by:
        refuse(record, f"no rollback by {payload.by} has begun")
    _refuse_open(draft, record, questions=True)
    for id_ in payload.undone:
        step = draft.step(id_, record)
        draft.move(step, StepStatus.UNDONE, record)
    draft.turn(RunStatus.ROLLED_BACK, record)
    draft.rolled_back_by = payload.by
    draft.ended_at = record.at
    draft.left = None


def _refuse_open(draft: RunDraft, record: Record, *, questions: bool) -> None:
    for step in draft.each_step():
        if step.open_attempt is not None:
            refuse(record, f"an attempt of {step.id} has no outcome yet")
    if questions and draft.questions:
        refuse(record, f"the question {draft.questions[0].id} is open")


def asked(draft: RunDraft, record: Record, payload: QuestionAsked) -> None:
    """Open a question."""
    if payload.asks not in ASKS:
        refuse(record, f"nothing asks {payload.asks}")
    if draft.was_asked(payload.id):
        refuse(record, f"the question {payload.id} was asked before")
    if payload.step is not None:
        _hold_step(draft, record, payload, payload.step)
    question = Question(
        payload.id,
        payload.step,
        payload.asks,
        payload.text,
        payload.choices,
        payload.typed,
        payload.shown,
        record.at,
    )
    draft.questions = (*draft.questions, question)
    draft.turn(RunStatus.WAITING, record)


def _hold_step(draft: RunDraft, record: Record, payload: QuestionAsked, id_: str) -> None:
    step = draft.step(id_, record)
    if any(question.step == id_ for question in draft.questions):
        refuse(record, f"a question on {id_} is open")
    if step.status in _OVER and payload.asks != "rollback":
        refuse(record, f"the step {id_} is {step.status}")
    if payload.asks not in WAITING_ASKS:
        return
    if step.open_attempt is not None:
        refuse(record, f"an attempt of {id_} has no outcome yet")
    step.asked_from = step.status
    draft.move(step, StepStatus.WAITING, record)
    if payload.asks == "manual" and step.started_at is None:
        step.started_at = record.at
    begin_group(draft, step, record)


def answered(draft: RunDraft, record: Record, payload: QuestionAnswered) -> None:
    """Close a question with a decision; the step keeps it until an event acts upon it."""
    question, step = _close(draft, record, payload.id)
    if question.choices and payload.choice not in question.choices:
        refuse(record, f"the question {question.id} does not offer {payload.choice}")
    if payload.by not in ("person", "policy"):
        refuse(record, f"nobody decides as {payload.by}")
    answer = Answered(
        question,
        payload.choice,
        payload.by,
        payload.reason,
        payload.fields,
        record.operator,
        record.host,
        record.at,
        len(step.attempts) if step is not None else 0,
    )
    draft.closed[question.id] = answer
    if question.asks == DRIFT:
        draft.adopting = payload.choice == ADOPT
    if step is not None:
        step.answer = answer


def withdrawn(draft: RunDraft, record: Record, payload: QuestionWithdrawn) -> None:
    """Close a question without a decision."""
    question, _ = _close(draft, record, payload.id)
    draft.closed[question.id] = Answered(
        question, None, "nobody", payload.reason, {}, record.operator, record.host, record.at
    )


def _close(draft: RunDraft, record: Record, id_: str) -> tuple[Question, StepDraft | None]:
    question = next((open_ for open_ in draft.questions if open_.id == id_), None)
    if question is None:
        refuse(record, f"the question {id_} is not open")
    draft.questions = tuple(open_ for open_ in draft.questions if open_ is not question)
    draft.turn(RunStatus.WAITING if draft.questions else RunStatus.RUNNING, record)
    if question.step is None:
        return question, None
    step = draft.step(question.step, record)
    if step.asked_from is not None:
        draft.move(step, step.asked_from, record)
        step.asked_from = None
    return question, step
