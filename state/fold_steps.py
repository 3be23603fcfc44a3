"""Which events may follow which, for steps and their attempts.

- An attempt's number is one more than the last; a step has at most one open attempt, and none
  begins while a question on the step is open or after `when` said no.
- Its outcome makes the step: succeeded → succeeded (undone, if the attempt took the effect back);
  failed, stopped → failed; unknown → unknown. A void attempt leaves the step as the attempt before
  it did, pending if there was none.
- `retry_planned` follows a failed attempt; from then, as in a `wait`, the step is running.
- `step_judged`, `step_skipped` need the step's questions closed and its attempt ended.
- The list of an `each` is fixed once, before any of its steps begins. Steps for each host or item
  then take the place of the templates, and the group runs.
- A group runs from the first sign of life of one of its steps until it is judged or skipped.
- Every event that acts upon a decision takes it from the step (`answer`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NoReturn

from state.errors import FoldError
from state.events import (
    AttemptEnded,
    AttemptIntended,
    AttemptVoided,
    InstancesFixed,
    Record,
    RetryPlanned,
    StepJudged,
    StepSkipped,
    StopAsked,
    WaitBegun,
    WhenDecided,
)
from state.fold_draft import RunDraft, StepDraft
from state.run_state import EACH_ACTION, GROUP_ACTIONS, AttemptState, StepState
from state.status import AttemptStatus, Proof, StepStatus, Verdict

EFFECTS: Final = frozenset({"none", "done", "partial", "unknown"})
SKIPPERS: Final = frozenset({"when", "person", "policy", "end"})
_PROOFS: Final = frozenset({None, *Proof})
_VERDICTS: Final = frozenset({None, *Verdict})
_JUDGED: Final = frozenset(
    {StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.UNDONE}
)
_AFTER_ATTEMPT: Final = {
    AttemptStatus.SUCCEEDED: StepStatus.SUCCEEDED,
    AttemptStatus.FAILED: StepStatus.FAILED,
    AttemptStatus.STOPPED: StepStatus.FAILED,
    AttemptStatus.UNKNOWN: StepStatus.UNKNOWN,
}
OUTCOMES: Final = frozenset(_AFTER_ATTEMPT)


def refuse(record: Record, why: str) -> NoReturn:
    """Raise the FoldError that names the event."""
    raise FoldError(f"event {record.seq} ({record.kind}): {why}")


def begin_group(draft: RunDraft, step: StepDraft, record: Record) -> None:
    """Have the groups that the step is in run, when they stand at rest and are not done."""
    while step.group is not None:
        inner, step = step, draft.step(step.group, record)
        if step.action == EACH_ACTION and step.id not in draft.instances:
            refuse(record, f"{inner.id} is a template: the list of {step.id} is not fixed yet")
        if step.status is not StepStatus.RUNNING:
            draft.move(step, StepStatus.RUNNING, record)
            step.ended_at = step.reason = None
        if step.started_at is None:
            step.started_at = record.at


def _at_rest(draft: RunDraft, record: Record, id_: str) -> StepDraft:
    """Return the step when neither an attempt nor a question of it is open."""
    step = draft.step(id_, record)
    if step.open_attempt is not None:
        refuse(record, f"attempt {step.open_attempt.number} of {id_} has no outcome yet")
    if any(question.step == id_ for question in draft.questions):
        refuse(record, f"a question on {id_} is open")
    return step


def _open_attempt(
    draft: RunDraft, record: Record, id_: str, number: int
) -> tuple[StepDraft, AttemptState]:
    step = draft.step(id_, record)
    attempt = step.open_attempt
    if attempt is None or attempt.number != number:
        refuse(record, f"attempt {number} of {id_} is not open")
    return step, attempt


def when_decided(draft: RunDraft, record: Record, payload: WhenDecided) -> None:
    """Keep what the step's condition came to."""
    step = draft.step(payload.step, record)
    if step.when is not None or step.status is not StepStatus.PENDING:
        refuse(record, f"the condition of {step.id} was evaluated already, or came too late")
    step.when = payload.result
    step.when_values = payload.values


def skipped(draft: RunDraft, record: Record, payload: StepSkipped) -> None:
    """Leave the step out."""
    if payload.by not in SKIPPERS:
        refuse(record, f"nothing skips as {payload.by}")
    step = _at_rest(draft, record, payload.step)
    draft.move(step, StepStatus.SKIPPED, record)
    step.reason = payload.reason
    step.skipped_by = payload.by
    step.ended_at = record.at
    step.retry_until = step.wait_until = step.answer = None


def instances_fixed(draft: RunDraft, record: Record, payload: InstancesFixed) -> None:
    """Put a step for each host or item in the place of every template of an `each`."""
    group = _at_rest(draft, record, payload.step)
    if group.action != EACH_ACTION or group.id in draft.instances:
        refuse(record, f"{group.id} repeats nothing, or its list is fixed already")
    _check_list(record, payload)
    templates = [step for step in draft.each_step() if step.group == group.id]
    if any(step.status is not StepStatus.PENDING or step.attempts for step in templates):
        refuse(record, f"a step of {group.id} has begun already")
    steps = [
        StepState(
            id=f"{step.id}@{name}",
            name=f"{step.name} ({value})",
            phase=step.phase,
            action=step.action,
            refs=step.refs,
            group=group.id,
        )
        for name, value in zip(payload.names, payload.values, strict=True)
        for step in templates
    ]
    if any(step.id in draft.steps or step.id in draft.touched for step in steps):
        refuse(record, f"a step of {group.id} for one of its {payload.over}s is there already")
    group.notes = (*group.notes, *(note for step in templates for note in step.notes))
    draft.exchange({step.id for step in templates}, group.id, steps)
    draft.instances = {**draft.instances, group.id: payload}
    draft.move(group, StepStatus.RUNNING, record)
    group.started_at = group.started_at or record.at
    group.ended_at = group.reason = group.answer = None


def _check_list(record: Record, payload: InstancesFixed) -> None:
    names = payload.names
    if not names or len(names) != len(payload.values) or len({*names}) < len(names):
        refuse(record, "the list is empty, or has a name twice, or names without values")
    if payload.over not in ("host", "item") or payload.batch < 1 or payload.max_failures < 0:
        refuse(record, "the list is over nothing known, or its numbers are none")


def intended(draft: RunDraft, record: Record, payload: AttemptIntended) -> None:
    """Open an attempt."""
    step = _at_rest(draft, record, payload.step)
    if step.action in GROUP_ACTIONS:
        refuse(record, f"{step.id} is a group and has no attempts")
    if payload.number != len(step.attempts) + 1:
        refuse(record, f"the next attempt of {step.id} is number {len(step.attempts) + 1}")
    if step.when is False:
        refuse(record, f"the condition of {step.id} said no")
    if payload.before not in _VERDICTS:
        refuse(record, f"a probe does not find {payload.before}")
    draft.move(step, StepStatus.RUNNING, record)
    attempt = AttemptState(
        number=payload.number,
        action=payload.action,
        directory=payload.directory,
        machine=payload.machine,
        boot=payload.boot,
        started_at=record.at,
        host=record.host,
        undo=payload.undo,
        reads=payload.reads,
        before=payload.before,
        carries=payload.carries,
    )
    step.attempts = (*step.attempts, attempt)
    step.started_at = step.started_at or record.at
    step.ended_at = step.reason = step.retry_until = step.wait_until = step.answer = None
    begin_group(draft, step, record)


def stop_asked(draft: RunDraft, record: Record, payload: StopAsked) -> None:
    """Note that the open attempt is to stop; the first reason stays."""
    step, attempt = _open_attempt(draft, record, payload.step, payload.number)
    if attempt.stop_reason is None:
        step.attempts = (*step.attempts[:-1], replace(attempt, stop_reason=payload.reason))


def voided(draft: RunDraft, record: Record, payload: AttemptVoided) -> None:
    """Close an attempt that never acted; the step stands where it stood before."""
    step, attempt = _open_attempt(draft, record, payload.step, payload.number)
    void = replace(
        attempt,
        status=AttemptStatus.VOID,
        reason=payload.reason,
        effect="none",
        ended_at=record.at,
    )
    step.attempts = (*step.attempts[:-1], void)
    before = StepStatus.PENDING
    for earlier in step.attempts[:-1]:
        if earlier.status is not AttemptStatus.VOID:
            before = _AFTER_ATTEMPT[earlier.status]
    draft.move(step, before, record)
    step.reason = payload.reason


def ended(draft: RunDraft, record: Record, payload: AttemptEnded) -> None:
    """Close an attempt with its outcome, which is the step's."""
    step, attempt = _open_attempt(draft, record, payload.step, payload.number)
    if payload.status not in OUTCOMES:
        refuse(record, f"an attempt does not end {payload.status}")
    _check_words(record, payload)
    status = AttemptStatus(payload.status)
    closed = _closed(attempt, payload, status, record.at)
    step.attempts = (*step.attempts[:-1], closed)
    after = _AFTER_ATTEMPT[status]
    if attempt.undo and after is StepStatus.SUCCEEDED:
        after = StepStatus.UNDONE
    draft.move(step, after, record)
    step.ended_at = record.at
    step.reason = payload.reason
    step.evidence = payload.evidence
    step.adopted = payload.adopted
    step.proof = payload.proof
    step.answer = None
    if after is StepStatus.SUCCEEDED:
        step.outputs = payload.outputs
        step.by_host = payload.by_host


def _closed(
    attempt: AttemptState, payload: AttemptEnded, status: AttemptStatus, at: str
) -> AttemptState:
    """Return the attempt with its outcome; in full, as `replace` takes several times as long."""
    return AttemptState(
        attempt.number,
        attempt.action,
        attempt.directory,
        attempt.machine,
        attempt.boot,
        attempt.started_at,
        status=status,
        host=attempt.host,
        undo=attempt.undo,
        reads=attempt.reads,
        before=attempt.before,
        carries=attempt.carries,
        ended_at=at,
        exit_code=payload.exit_code,
        verdict=payload.verdict,
        outputs=payload.outputs,
        by_host=payload.by_host,
        evidence=payload.evidence,
        reason=payload.reason,
        cause=payload.cause,
        effect=payload.effect,
        adopted=payload.adopted,
        stop_reason=attempt.stop_reason,
        detail=payload.detail,
    )


def _check_words(record: Record, payload: AttemptEnded) -> None:
    if payload.effect not in EFFECTS:
        refuse(record, f"there is no effect {payload.effect}")
    if payload.verdict not in _VERDICTS:
        refuse(record, f"there is no verdict {payload.verdict}")
    if payload.proof not in _PROOFS:
        refuse(record, f"there is no proof {payload.proof}")


def retry_planned(draft: RunDraft, record: Record, payload: RetryPlanned) -> None:
    """Have the step wait for its next try, by itself."""
    step = _at_rest(draft, record, payload.step)
    if step.status is not StepStatus.FAILED or not step.attempts:
        refuse(record, f"{step.id} is {step.status}: there is nothing to try again")
    draft.move(step, StepStatus.RUNNING, record)
    step.retry_until = payload.until
    step.reason = payload.reason
    step.ended_at = step.answer = None
    begin_group(draft, step, record)


def wait_begun(draft: RunDraft, record: Record, payload: WaitBegun) -> None:
    """Have the step run until its time has come."""
    step = _at_rest(draft, record, payload.step)
    if step.wait_until is not None or step.attempts:
        refuse(record, f"{step.id} has begun already")
    draft.move(step, StepStatus.RUNNING, record)
    step.wait_until = payload.until
    step.started_at = step.started_at or record.at
    step.ended_at = step.reason = step.answer = None
    begin_group(draft, step, record)


def judged(draft: RunDraft, record: Record, payload: StepJudged) -> None:
    """Have the step stand where a decision or a rule puts it."""
    if payload.status not in _JUDGED:
        refuse(record, f"a step is not judged {payload.status}")
    if payload.proof not in _PROOFS:
        refuse(record, f"there is no proof {payload.proof}")
    step = _at_rest(draft, record, payload.step)
    status = StepStatus(payload.status)
    if step.status is StepStatus.SUCCEEDED and status is StepStatus.SUCCEEDED:
        refuse(record, f"{step.id} has succeeded already")
    draft.move(step, status, record)
    step.reason = payload.reason
    step.proof = payload.proof
    step.adopted = payload.adopted
    step.retry_until = step.wait_until = step.answer = None
    step.started_at = step.started_at or record.at
    step.ended_at = record.at
    if payload.evidence:
        step.evidence = payload.evidence
    if status is StepStatus.SUCCEEDED:
        step.outputs = payload.outputs
        step.by_host = payload.by_host
