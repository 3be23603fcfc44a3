"""Events to state, purely: what a journal says about its run.

`fold` reads a whole journal, `apply` adds one record to a state and shares the rest, `foresee`
tells before anything is written whether an event may follow. All three go through the same rules,
which are written at the heads of `fold_run`, `fold_steps` and `fold_people`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from state import events, fold_definition, fold_people, fold_run, fold_steps, payloads
from state.codec import NOT_JSON, record_hash
from state.errors import CodecError, FoldError, NewerRecord, UnknownHere
from state.events import Payload, Record, RunStarted
from state.fold_draft import RunDraft, freeze, thaw
from state.run_state import RunState

# Any: each rule takes the payload of its own kind, which the table's key ensures.
_RULES: Final[Mapping[type, Callable[[RunDraft, Record, Any], None]]] = {
    events.RunResumed: fold_run.resumed,
    events.DefinitionAdopted: fold_definition.adopted,
    events.RunLeft: fold_run.left,
    events.RunEnded: fold_run.ended,
    events.RollbackBegun: fold_run.rollback_begun,
    events.RunRolledBack: fold_run.rolled_back,
    events.WhenDecided: fold_steps.when_decided,
    events.StepSkipped: fold_steps.skipped,
    events.InstancesFixed: fold_steps.instances_fixed,
    events.AttemptIntended: fold_steps.intended,
    events.StopAsked: fold_steps.stop_asked,
    events.AttemptVoided: fold_steps.voided,
    events.AttemptEnded: fold_steps.ended,
    events.RetryPlanned: fold_steps.retry_planned,
    events.WaitBegun: fold_steps.wait_begun,
    events.QuestionAsked: fold_run.asked,
    events.QuestionAnswered: fold_run.answered,
    events.QuestionWithdrawn: fold_run.withdrawn,
    events.StepJudged: fold_steps.judged,
    events.NoteAdded: fold_people.noted,
    events.NoteReceived: fold_people.noted,
    events.MessageTaken: fold_people.message_taken,
    events.ApprovalGiven: fold_people.approved,
    events.ApproversReminded: fold_people.reminded,
    events.TakenOver: fold_people.taken_over,
    events.HandedOver: fold_people.handed_over,
}


_WITH_UNTIL: Final = (events.RetryPlanned, events.WaitBegun, events.ApprovalGiven)


def fold(records: Iterable[Record]) -> RunState:
    """Return the state that the records of one run, from its first, add up to.

    Raises FoldError at the first record that cannot follow those before it.
    """
    draft: RunDraft | None = None
    for record in records:
        try:
            draft = _step(draft, record, _payload(record))
        except FoldError as problem:
            problem.run = record.run
            raise
    if draft is None:
        raise FoldError("there are no events")
    return freeze(draft)


def apply(state: RunState | None, record: Record) -> RunState:
    """Return `state` with one more record; None stands for a run that has none yet.

    Raises FoldError when the record cannot follow.
    """
    return freeze(_step(thaw(state) if state else None, record, _payload(record)))


def foresee(state: RunState | None, payload: Payload) -> RunState:
    """Return what the state would be with `payload` journaled next, or raise FoldError.

    The envelope (time, operator) is that of the record before, so use the result to check what
    follows, and `apply` for the truth.
    """
    record = Record(
        seq=state.seq + 1 if state else 1,
        run=state.run if state else "",
        at=state.at if state else "",
        kind=payload.kind,
        data={},
        operator=state.driver if state else "",
        host=state.writer if state else "",
        token=state.token if state else 0,
        prev="",
        hash="",
    )
    return freeze(_step(thaw(state) if state else None, record, payload))


def _payload(record: Record) -> Payload:
    if NOT_JSON in record.data:
        raise FoldError(f"event {record.seq} ({record.kind}) is not JSON any more")
    try:
        payload = payloads.from_data(record.kind, record.data)
    except UnknownHere as problem:
        # Its own hash tells what a newer program wrote from what somebody made of it.
        if record.hash == record_hash(record):
            said = f"event {record.seq}: {problem}; a newer runbook wrote it"
            raise NewerRecord(said) from problem
        raise FoldError(f"event {record.seq}: {problem}") from problem
    except CodecError as problem:
        raise FoldError(f"event {record.seq}: {problem}") from problem
    times = (record.at, *([payload.until] if isinstance(payload, _WITH_UNTIL) else []))
    if not all(map(_is_time, times)):
        raise FoldError(f"event {record.seq} ({record.kind}): its time is none")
    return payload


def _is_time(text: str) -> bool:
    """Whether a text is a time as the journal writes it: who shows or compares it needs that."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return text.endswith("Z")


def _step(draft: RunDraft | None, record: Record, payload: Payload) -> RunDraft:
    if draft is None:
        if not isinstance(payload, RunStarted) or record.seq != 1:
            raise FoldError(f"event {record.seq} ({record.kind}): a run begins with run_started")
        return fold_run.start(record, payload)
    if isinstance(payload, RunStarted):
        raise FoldError(f"event {record.seq} (run_started): the run began already")
    if record.seq != draft.seq + 1 or record.run != draft.run:
        raise FoldError(
            f"event {record.seq} of {record.run} cannot follow event {draft.seq} of {draft.run}"
        )
    if record.token < draft.token:
        raise FoldError(
            f"event {record.seq} ({record.kind}): its driver had lost the run (token "
            f"{record.token} after {draft.token})"
        )
    fold_run.check_goes_on(draft, record, payload)
    _RULES[type(payload)](draft, record, payload)
    if record.host != draft.writer:
        draft.heard = {**draft.heard, draft.writer: draft.at}
        draft.writer = record.host
    draft.seq, draft.at, draft.token = record.seq, record.at, record.token
    return draft
