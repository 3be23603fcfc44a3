"""Runs of legal events: what a driver may journal next, told from the state alone.

A model of its own, written from the rules in words and not from the code that enforces them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from hypothesis import strategies as st

from state.codec import head_of
from state.events import (
    ApprovalGiven,
    ApproversReminded,
    AttemptEnded,
    AttemptIntended,
    AttemptVoided,
    DefinitionAdopted,
    HandedOver,
    InstancesFixed,
    MessageTaken,
    NoteAdded,
    NoteReceived,
    Payload,
    QuestionAnswered,
    QuestionAsked,
    QuestionWithdrawn,
    Record,
    RetryPlanned,
    RollbackBegun,
    RunEnded,
    RunLeft,
    RunResumed,
    RunRolledBack,
    StepJudged,
    StepSkipped,
    StopAsked,
    TakenOver,
    WaitBegun,
    WhenDecided,
)
from state.fold import apply
from state.json_value import Json
from state.run_state import RunState, StepState
from state.status import RunStatus, StepStatus
from tests.harness.records import chained, line, started

OUTLINES: Sequence[Sequence[Mapping[str, Json]]] = (
    (line("a"),),
    (line("a"), line("b", "manual"), line("c", "wait")),
    (line("g", "parallel"), line("a", group="g"), line("b", group="g"), line("c")),
    (line("a"), line("e", "each"), line("b", group="e"), line("c", group="e"), line("d")),
    (line("g", "parallel"), *(line(id_, group="g") for id_ in "abcd"), *map(line, "efhij")),
)
_UNTIL = "2026-11-23T12:59:39.000000Z"
_AT_WORK = (RunStatus.RUNNING, RunStatus.WAITING)
_SELDOM = (
    DefinitionAdopted,
    RunEnded,
    RunLeft,
    RunRolledBack,
    RunResumed,
    RollbackBegun,
    NoteAdded,
)
_UNDECIDED = (StepStatus.FAILED, StepStatus.UNKNOWN)


def legal(state: RunState) -> list[Payload]:
    """Return events that may follow, at least one of every kind that may."""
    return [*_for_run(state), *_for_steps(state)]


def _for_run(state: RunState) -> Iterator[Payload]:
    yield NoteAdded("as expected")
    yield NoteReceived("seen from afar", None, "lee", "desk")
    message = f"m{len(state.messages)}"
    yield MessageTaken(message, "note", "lee", "desk", "lee_role", _UNTIL)
    quiet = not state.open_attempts()
    if state.status is RunStatus.ROLLED_BACK:
        return
    if quiet:
        yield RollbackBegun("back-1", "it is slow")
        if state.rollback_by and not state.questions:
            undone = [id_ for id_, step in state.steps.items() if step.status == "succeeded"]
            yield RunRolledBack(state.rollback_by, tuple(undone))
    if state.final:
        return
    yield RunResumed(away=12.5, program="0.1.0", changed=("a",))
    if not goes_on(state):
        return
    yield RunLeft("closed the screen")
    yield HandedOver("lee", "end of my day")
    yield TakenOver("dana", "bastion", "she is away", "expired")
    yield _adoption(state)
    if not quiet:
        return
    yield RunEnded("failed", state.failures, "nobody decided")
    if not state.questions:
        yield RunEnded("aborted", state.failures)
        if all(step.done or step.status == "failed" for step in state.steps.values()):
            yield RunEnded("succeeded", state.failures)


def _adoption(state: RunState) -> Payload:
    """Leave out what nobody began and is in no group; put a step at the end."""

    def has_begun(step: StepState) -> bool:
        settled = (
            step.status is not StepStatus.PENDING or step.attempts or step.id in state.instances
        )
        return bool(settled) or step.when is not None or step.answer is not None

    stays = [
        step
        for step in state.steps.values()
        if has_begun(step) or step.is_group or step.group is not None
    ]
    lines = [{**line(one.id, one.action, one.group), "name": one.name} for one in stays]
    return DefinitionAdopted(
        definition={"deploy.yaml": "1" * 64},
        files={"deploy.yaml": "2" * 64},
        steps=(*lines, line(f"new-{len(state.adopted)}")),
        kept=tuple(step.id for step in stays if has_begun(step)),
        changed=("a",),
        parameters={"version": "v1.4.0"},
        locks=("sandbox",),
        program="0.1.0",
    )


def goes_on(state: RunState) -> bool:
    """Whether a driver may journal anything about steps."""
    return state.status in _AT_WORK and state.left is None


def _for_steps(state: RunState) -> Iterator[Payload]:
    if not goes_on(state):
        return
    if state.question("start") is None and "start" not in state.answered:
        yield QuestionAsked("start", None, "start", "Start?", ("y",))
    for question in state.questions:
        yield QuestionAnswered(question.id, question.choices[0], "person", "checked", {"pr": "x"})
        yield QuestionWithdrawn(question.id, "not needed any more")
        if question.asks == "approval":
            role = f"role{len(question.approvals)}"
            yield ApprovalGiven(question.id, "lee", "desk", role, _UNTIL)
            yield ApproversReminded(question.id, ("lee@desk",))
    for step in state.steps.values():
        yield NoteAdded("slow today", step.id)
        if _is_template(state, step):
            if not step.done:
                yield StepSkipped(step.id, "not needed", "person")
            continue
        if step.open_attempt is not None:
            yield from _for_attempt(step, step.open_attempt.number)
        elif state.question_on(step.id) is None and not step.done:
            yield from _at_rest(state, step)


def _for_attempt(step: StepState, number: int) -> Iterator[Payload]:
    yield StopAsked(step.id, number, "took too long")
    yield AttemptVoided(step.id, number, "no worker claimed it")
    outputs, evidence = {"digest": "sha256:9c1e"}, ({"kind": "image", "summary": "is there"},)
    for status in ("succeeded", "failed", "stopped", "unknown"):
        yield AttemptEnded(
            step.id, number, status, reason="so", exit_code=1, outputs=outputs, evidence=evidence
        )


def _is_template(state: RunState, step: StepState) -> bool:
    """Whether a step stands for those of an `each` whose list is not fixed."""
    group = state.steps.get(step.group or "")
    return group is not None and group.action == "each" and group.id not in state.instances


def _list(state: RunState, step: StepState) -> Iterator[Payload]:
    """Yield a list for an `each` of which nothing has been skipped."""
    if step.action != "each" or step.id in state.instances:
        return
    if all(child.status is StepStatus.PENDING for child in state.children(step.id)):
        yield InstancesFixed(step.id, "host", ("h1", "h2"), ("h1", "h2"))
        yield InstancesFixed(step.id, "item", ("one",), ("One",), 2, 1)


def _at_rest(state: RunState, step: StepState) -> Iterator[Payload]:
    id_ = f"q{len(state.answered) + len(state.questions)}"
    yield from _list(state, step)
    if step.status is StepStatus.PENDING and step.when is None:
        yield WhenDecided(step.id, True, {"env.migrate": "yes"})
    if not step.is_group:
        yield QuestionAsked(id_, step.id, "typed", "Deploy?", ("y",), "PRODUCTION")
        yield QuestionAsked(id_, step.id, "approval", "Deploy?", ("approve", "skip"))
        number = len(step.attempts) + 1
        yield AttemptIntended(step.id, number, "run", f"x/{number}", "m", "b", before="absent")
    if step.status is StepStatus.PENDING and not step.attempts and not step.is_group:
        yield WaitBegun(step.id, _UNTIL)
    if step.status is StepStatus.FAILED and step.attempts:
        yield RetryPlanned(step.id, _UNTIL, "lock timeout")
    if step.status in _UNDECIDED:
        yield QuestionAsked(id_, step.id, "failure", "What now?", ("retry", "skip"))
        yield StepJudged(step.id, "undone", "taken back")
        if not step.is_group:
            number = len(step.attempts) + 1
            yield AttemptIntended(step.id, number, "run", f"x/{number}", "m", "b", undo=True)
    # A group is settled last: what still happens inside would have nowhere to happen.
    if not step.is_group or all(child.done for child in state.children(step.id)):
        yield StepJudged(step.id, "succeeded", proof="person", outputs={"choice": "y"})
        yield StepSkipped(step.id, "not needed", "person")
        yield StepJudged(step.id, "failed", "does not hold")


@st.composite
def runs(draw: st.DrawFn, longest: int = 45) -> list[Record]:
    """Draw the records of a run that a driver could have journaled."""
    records = chained([started(*draw(st.sampled_from(OUTLINES)))])
    state = apply(None, records[0])
    chance = draw(st.randoms(use_true_random=False))
    for _ in range(draw(st.integers(longest // 3, longest))):
        [record] = follow(records[-1], _pick(chance, legal(state)))
        records.append(record)
        state = apply(state, record)
    return records


def _pick(chance: Random, choices: Sequence[Payload]) -> Payload:
    """Pick a kind first, so that rare ones come up; what ends or repeats itself comes seldom."""
    often = [one for one in choices if not isinstance(one, _SELDOM)]
    if often and chance.random() < 0.85:
        choices = often
    kind = chance.choice(sorted({one.kind for one in choices}))
    return chance.choice([one for one in choices if one.kind == kind])


def follow(last: Record, *payloads: Payload) -> list[Record]:
    """Return payloads as the records after `last`."""
    return chained(payloads, run=last.run, head=head_of(last))
