"""Folding: one truth whichever way it is added up, and no event that cannot follow."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state import events
from state.errors import FoldError
from state.events import (
    AttemptEnded,
    AttemptIntended,
    AttemptVoided,
    InstancesFixed,
    NoteAdded,
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
    WaitBegun,
    WhenDecided,
)
from state.fold import _RULES, apply, fold, foresee
from state.fold_draft import RunDraft, StepDraft
from state.run_state import RunState, StepState
from state.status import (
    FINAL_RUN,
    RUN_TRANSITIONS,
    STEP_TRANSITIONS,
    AttemptStatus,
    RunStatus,
    StepStatus,
)
from tests.harness.records import chained, folded, line, started
from tests.state.legal_runs import follow, legal, runs

# The same examples each time, and none of them in a hurry: a busy machine is no finding.
FAST = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
ABC = started("a", "b", "c")
TRY = AttemptIntended("a", 1, "run", "runs/x/attempts/a.1", "m", "b")


def attempt(status: str, number: int = 1) -> tuple[AttemptIntended, AttemptEnded]:
    """Return a try at step a with its outcome."""
    intent = AttemptIntended("a", number, "run", f"a.{number}", "m", "b")
    return intent, AttemptEnded("a", number, status, reason="so")


@FAST
@given(runs(), st.data())
def test_a_run_folds_to_the_same_in_one_go_or_piecewise(
    records: list[Record], data: st.DataObject
) -> None:
    whole = fold(records)
    cut = data.draw(st.integers(1, len(records)))
    state = fold(records[:cut])
    before = state
    for record in records[cut:]:
        state = apply(state, record)
    assert state == whole
    assert before == fold(records[:cut]), "applying changed the state that it began with"


@FAST
@given(runs(), st.data())
def test_foreseen_is_what_comes(records: list[Record], data: st.DataObject) -> None:
    state = fold(records)
    payload = data.draw(st.sampled_from(legal(state)))
    foreseen = foresee(state, payload)
    [record] = follow(records[-1], payload)
    came = apply(state, record)
    assert foreseen.status is came.status
    assert [step.status for step in foreseen.steps.values()] == [
        step.status for step in came.steps.values()
    ]


_ANY_STEP = st.sampled_from(["a", "b", "g", "nowhere"])
_ANY_ID = st.sampled_from(["start", "q0", "q1", "q2"])
_NUMBER = st.integers(0, 3)
_STATUS = st.sampled_from(["succeeded", "failed", "stopped", "unknown", "undone", "skipped", "odd"])
_ANY_EVENT: st.SearchStrategy[Payload] = st.one_of(
    st.builds(AttemptEnded, _ANY_STEP, _NUMBER, _STATUS),
    st.builds(AttemptVoided, _ANY_STEP, _NUMBER, st.just("void")),
    st.builds(
        AttemptIntended,
        _ANY_STEP,
        _NUMBER,
        st.just("run"),
        st.just("d"),
        st.just("m"),
        st.just("b"),
        undo=st.booleans(),
    ),
    st.builds(StopAsked, _ANY_STEP, _NUMBER, st.just("stop")),
    st.builds(RetryPlanned, _ANY_STEP, st.just("later"), st.just("again")),
    st.builds(WaitBegun, _ANY_STEP, st.just("later")),
    st.builds(WhenDecided, _ANY_STEP, st.booleans(), st.just({})),
    st.builds(StepSkipped, _ANY_STEP, st.just("no"), st.sampled_from(["when", "odd"])),
    st.builds(StepJudged, _ANY_STEP, _STATUS),
    st.builds(
        QuestionAsked,
        _ANY_ID,
        st.none() | _ANY_STEP,
        st.sampled_from(["confirm", "failure", "rollback", "odd"]),
        st.just("Sure?"),
        st.just(("y", "n")),
    ),
    st.builds(QuestionAnswered, _ANY_ID, st.sampled_from("yx"), st.just("person")),
    st.builds(QuestionWithdrawn, _ANY_ID, st.just("no")),
    st.builds(RunEnded, _STATUS),
    st.builds(RunLeft, st.just("bye")),
    st.builds(RunResumed, st.just(1.0), st.just("0.1.0")),
    st.builds(RollbackBegun, st.sampled_from(["x", "y"])),
    st.builds(RunRolledBack, st.sampled_from(["x", "y"]), st.lists(_ANY_STEP).map(tuple)),
    st.builds(NoteAdded, st.just("hm"), st.none() | _ANY_STEP),
)


@settings(FAST, max_examples=100)
@given(runs(longest=15), st.lists(_ANY_EVENT, max_size=25))
def test_whatever_is_accepted_leaves_a_sound_state(
    records: list[Record], payloads: list[Payload]
) -> None:
    state, last = fold(records), records[-1]
    for payload in payloads:
        [record] = follow(last, payload)
        try:
            after = apply(state, record)
        except FoldError:
            continue
        assert_sound(after)
        assert_followed(state, after)
        state, last = after, record


def assert_sound(state: RunState) -> None:
    """What must be true of every state."""
    asked = [question.step for question in state.questions if question.step is not None]
    assert len(asked) == len(set(asked)), "two questions on one step"
    assert not set(state.answered) & {question.id for question in state.questions}
    for step in state.steps.values():
        assert [one.number for one in step.attempts] == list(range(1, len(step.attempts) + 1))
        assert not any(one.open for one in step.attempts[:-1])
        if step.open_attempt is not None:
            assert step.status is StepStatus.RUNNING
            assert not state.final
        assert (step.status is StepStatus.WAITING) == (step.asked_from is not None)
    if state.status in (RunStatus.RUNNING, RunStatus.WAITING):
        assert (state.status is RunStatus.WAITING) == bool(state.questions)
        leaves = [step for step in state.steps.values() if not step.is_group]
        assert state.failures == sum(step.status is StepStatus.FAILED for step in leaves)
    if state.status is RunStatus.SUCCEEDED:
        assert not state.questions
        assert all(step.done or step.status == "failed" for step in state.steps.values())


def assert_followed(before: RunState, after: RunState) -> None:
    """Statuses only change along the tables; what has ended stays as it ended."""
    if before.status is not after.status:
        assert after.status in RUN_TRANSITIONS[before.status]
    for id_, old in before.steps.items():
        new = after.steps[id_]
        if old.status is not new.status:
            assert new.status in STEP_TRANSITIONS[old.status]
        closed = [one for one in old.attempts if not one.open]
        assert list(new.attempts[: len(closed)]) == closed


def test_statuses_that_end_have_no_way_out() -> None:
    assert StepStatus.SUCCEEDED not in STEP_TRANSITIONS[StepStatus.UNDONE]
    assert STEP_TRANSITIONS[StepStatus.SUCCEEDED] == {StepStatus.UNDONE}
    for status in FINAL_RUN:
        assert RUN_TRANSITIONS[status] <= {RunStatus.ROLLED_BACK}


@pytest.mark.parametrize(
    ("status", "stands"),
    [
        ("succeeded", StepStatus.SUCCEEDED),
        ("failed", StepStatus.FAILED),
        ("stopped", StepStatus.FAILED),
        ("unknown", StepStatus.UNKNOWN),
    ],
)
def test_an_outcome_is_the_steps_status(status: str, stands: StepStatus) -> None:
    step = folded(ABC, *attempt(status)).step("a")
    assert step.status is stands
    assert step.last is not None
    assert step.last.status == AttemptStatus(status)


def test_a_void_attempt_leaves_the_step_where_it_was() -> None:
    again = AttemptIntended("a", 2, "run", "a.2", "m", "b")
    first = folded(ABC, TRY, AttemptVoided("a", 1, "no claim"))
    second = folded(ABC, *attempt("unknown"), again, AttemptVoided("a", 2, "no claim"))
    assert first.step("a").status is StepStatus.PENDING
    assert second.step("a").status is StepStatus.UNKNOWN


def test_an_undo_that_went_well_makes_the_step_undone_and_keeps_its_outputs() -> None:
    undo = AttemptIntended("a", 2, "run", "a.2", "m", "b", undo=True)
    done = AttemptEnded("a", 2, "succeeded", outputs={"x": "of the undo"})
    step = folded(ABC, *attempt("failed"), undo, done).step("a")
    assert step.status is StepStatus.UNDONE
    assert step.outputs == {}


def test_a_decision_stays_on_the_step_until_an_event_acts_on_it() -> None:
    asked = QuestionAsked("q1", "a", "failure", "What now?", ("retry", "abort"))
    decided = folded(
        ABC, *attempt("failed"), asked, QuestionAnswered("q1", "retry", "person", "mended")
    )
    answer = decided.step("a").answer
    assert answer is not None
    assert (answer.choice, answer.reason, answer.operator) == ("retry", "mended", "dana")
    acted = foresee(decided, AttemptIntended("a", 2, "run", "a.2", "m", "b"))
    assert acted.step("a").answer is None
    assert acted.answered["q1"] == answer


@pytest.mark.parametrize("asks", ["confirm", "typed", "approval", "manual"])
def test_a_confirmation_makes_the_step_wait_and_come_back(asks: str) -> None:
    asked = QuestionAsked("q1", "a", asks, "Deploy?", ("y",))
    waits = folded(ABC, asked)
    assert (waits.status, waits.step("a").status) == (RunStatus.WAITING, StepStatus.WAITING)
    back = foresee(waits, QuestionWithdrawn("q1", "aborted"))
    assert (back.status, back.step("a").status) == (RunStatus.RUNNING, StepStatus.PENDING)


def test_a_failure_stays_visible_while_its_question_is_open() -> None:
    asked = QuestionAsked("q1", "a", "failure", "What now?", ("retry",))
    state = folded(ABC, *attempt("failed"), asked)
    assert (state.status, state.step("a").status) == (RunStatus.WAITING, StepStatus.FAILED)


def test_a_group_runs_from_its_first_child_until_it_is_judged() -> None:
    grouped = started(line("g", "parallel"), line("a", group="g"), line("b", group="g"))
    assert folded(grouped).step("g").status is StepStatus.PENDING
    running = folded(grouped, TRY)
    assert running.step("g").status is StepStatus.RUNNING
    judged = foresee(
        foresee(running, AttemptEnded("a", 1, "failed")), StepJudged("g", "failed", "a failed")
    )
    assert judged.step("g").status is StepStatus.FAILED
    assert judged.failures == 1, "the group's line is not a second failure"
    again = foresee(judged, AttemptIntended("a", 2, "run", "a.2", "m", "b"))
    assert again.step("g").status is StepStatus.RUNNING
    assert [child.id for child in again.children("g")] == ["a", "b"]


EACH = started(line("e", "each"), line("a", group="e"), line("b", group="e"), line("c"))
LIST = InstancesFixed("e", "host", ("h1", "h2"), ("h1", "h2"))


def test_a_fixed_list_puts_its_steps_in_the_place_of_the_templates() -> None:
    fixed = folded(EACH, NoteAdded("careful", "a"), LIST)
    assert list(fixed.steps) == ["e", "a@h1", "b@h1", "a@h2", "b@h2", "c"]
    assert fixed.step("e").status is StepStatus.RUNNING
    assert [note.text for note in fixed.step("e").notes] == ["careful"]
    assert [child.id for child in fixed.children("e")] == ["a@h1", "b@h1", "a@h2", "b@h2"]
    assert fixed.instances == {"e": LIST}
    failed = foresee(
        foresee(fixed, AttemptIntended("a@h2", 1, "run", "d", "m", "b")),
        AttemptEnded("a@h2", 1, "failed"),
    )
    assert (failed.failures, list(failed.steps)) == (1, list(fixed.steps))


def test_a_list_that_could_not_be_made_can_be_made_later() -> None:
    failed = folded(EACH, StepJudged("e", "failed", "there is no host"))
    assert failed.failures == 0
    assert foresee(failed, LIST).step("e").status is StepStatus.RUNNING


def test_a_failed_end_is_taken_up_again() -> None:
    asked = QuestionAsked("q1", "a", "failure", "What now?", ("retry",))
    over = folded(ABC, *attempt("failed"), asked, RunEnded("failed", 1, "no answer"))
    assert over.status is RunStatus.FAILED
    resumed = foresee(over, RunResumed(3.0, "0.1.0"))
    assert (resumed.status, resumed.resumes, resumed.ended_at) == (RunStatus.WAITING, 1, None)


def test_a_rollback_is_one_of_the_run_that_it_takes_back() -> None:
    begun = folded(ABC, *attempt("succeeded"), RunEnded("aborted"), RollbackBegun("x-back"))
    assert begun.status is RunStatus.ABORTED
    back = foresee(begun, RunRolledBack("x-back", ("a",)))
    assert back.status is RunStatus.ROLLED_BACK
    assert back.step("a").status is StepStatus.UNDONE
    assert back.rolled_back_by == "x-back"


ASKED = QuestionAsked("q1", "a", "confirm", "Deploy?", ("y",))
REFUSED: dict[str, tuple[tuple[Payload, ...], str]] = {
    "no start": ((NoteAdded("x"),), "begins with run_started"),
    "two starts": ((ABC, ABC), "began already"),
    "twice the same step": ((started("a", "a"),), "occurs twice"),
    "a group seen late": ((started(line("a", group="g")),), "not seen yet"),
    "a line that is none": ((started({"id": "a"}),), "a line that is none"),
    "no such step": ((ABC, WhenDecided("z", True, {})), "no step z"),
    "a group's attempt": (
        (started(line("a", "parallel")), TRY),
        "has no attempts",
    ),
    "a list for a step": ((ABC, InstancesFixed("a", "item", ("x",), ("x",))), "repeats nothing"),
    "a list twice": ((EACH, LIST, LIST), "fixed already"),
    "an empty list": ((EACH, InstancesFixed("e", "item", (), ())), "is empty"),
    "a name twice": ((EACH, InstancesFixed("e", "item", ("x", "x"), ("x", "X"))), "name twice"),
    "names alone": ((EACH, InstancesFixed("e", "item", ("x", "y"), ("x",))), "without values"),
    "a list over what": ((EACH, InstancesFixed("e", "day", ("x",), ("x",))), "nothing known"),
    "none at a time": ((EACH, replace(LIST, batch=0)), "numbers are none"),
    "a template's attempt": ((EACH, TRY), "is a template"),
    "a list after a skip": ((EACH, StepSkipped("a", "x", "person"), LIST), "has begun already"),
    "a list's attempt": (
        (EACH, AttemptIntended("e", 1, "run", "e.1", "m", "b")),
        "has no attempts",
    ),
    "two at once": ((ABC, TRY, attempt("failed", 2)[0]), "no outcome yet"),
    "a number left out": ((ABC, attempt("failed", 2)[0]), "is number 1"),
    "an outcome of none": ((ABC, AttemptEnded("a", 1, "succeeded")), "is not open"),
    "an outcome of another": ((ABC, TRY, AttemptEnded("a", 2, "succeeded")), "is not open"),
    "an outcome twice": ((ABC, *attempt("failed"), attempt("failed")[1]), "is not open"),
    "an end that is none": ((ABC, TRY, AttemptEnded("a", 1, "void")), "does not end void"),
    "an odd effect": ((ABC, TRY, AttemptEnded("a", 1, "failed", effect="x")), "no effect x"),
    "an odd verdict": ((ABC, TRY, AttemptEnded("a", 1, "failed", verdict="x")), "no verdict x"),
    "an odd proof": ((ABC, TRY, AttemptEnded("a", 1, "failed", proof="x")), "no proof x"),
    "again after success": (
        (ABC, *attempt("succeeded"), attempt("failed", 2)[0]),
        "cannot become running",
    ),
    "against its condition": ((ABC, WhenDecided("a", False, {}), TRY), "said no"),
    "a condition twice": (
        (ABC, WhenDecided("a", True, {}), WhenDecided("a", True, {})),
        "evaluated already",
    ),
    "during a question": ((ABC, ASKED, TRY), "a question on a is open"),
    "a second question": (
        (ABC, ASKED, QuestionAsked("q2", "a", "confirm", "x", ())),
        "a question on a is open",
    ),
    "an id used again": (
        (ABC, ASKED, QuestionWithdrawn("q1", "x"), QuestionAsked("q1", "b", "confirm", "x", ())),
        "was asked before",
    ),
    "an answer to nothing": ((ABC, QuestionAnswered("q1", "y", "person")), "is not open"),
    "an answer not offered": ((ABC, ASKED, QuestionAnswered("q1", "n", "person")), "not offer n"),
    "an answer by nobody": ((ABC, ASKED, QuestionAnswered("q1", "y", "x")), "decides as x"),
    "a retry of nothing": (
        (ABC, RetryPlanned("a", "2026-11-23T13:00:00Z", "y")),
        "nothing to try again",
    ),
    "a retry at no time": ((ABC, RetryPlanned("a", "soon", "y")), "its time is none"),
    "a retry at an hour of nowhere": (
        (ABC, RetryPlanned("a", "2026-11-23T13:00:00", "y")),
        "its time is none",
    ),
    "a skip by nobody": ((ABC, StepSkipped("a", "x", "luck")), "skips as luck"),
    "an end in mid-attempt": ((ABC, TRY, RunEnded("aborted")), "no outcome yet"),
    "an end in mid-question": ((ABC, ASKED, RunEnded("aborted")), "question q1 is open"),
    "success with a step left": ((ABC, RunEnded("succeeded")), "step a is pending"),
    "an odd end": ((ABC, RunEnded("interrupted")), "does not end interrupted"),
    "after the end": ((ABC, RunEnded("aborted"), TRY), "the run is over"),
    "after leaving": ((ABC, RunLeft("bye"), TRY), "has not been resumed"),
    "after a failed end": ((ABC, RunEnded("failed"), TRY), "has not been resumed"),
    "resumed for good": ((ABC, RunEnded("aborted"), RunResumed(1.0, "x")), "the run is over"),
    "rolled back by another": (
        (ABC, RollbackBegun("x"), RunRolledBack("y")),
        "no rollback by y",
    ),
    "undone and never done": (
        (ABC, RollbackBegun("x"), RunRolledBack("x", ("a",))),
        "cannot become undone",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_event_that_cannot_follow_is_refused(case: str) -> None:
    payloads, why = REFUSED[case]
    with pytest.raises(FoldError, match=why):
        folded(*payloads)


def test_only_the_next_record_of_the_same_run_and_no_older_token_follows() -> None:
    first, second, third = chained([ABC, NoteAdded("x"), NoteAdded("y")], token=5)
    state = apply(None, first)
    with pytest.raises(FoldError, match="event 3 of 1123-k7f3 cannot follow event 1"):
        apply(state, third)
    [other] = chained([NoteAdded("x")], run="other")
    with pytest.raises(FoldError, match="of other cannot follow"):
        apply(state, other)
    [late] = follow(first, NoteAdded("x"))
    assert late.token < first.token
    with pytest.raises(FoldError, match="lost the run"):
        apply(state, late)
    assert apply(state, second).seq == 2


def test_no_events_are_no_run() -> None:
    with pytest.raises(FoldError, match="no events"):
        fold([])


def test_every_kind_of_event_has_its_rule() -> None:
    assert {*_RULES, events.RunStarted} == set(get_args(Payload))


def test_drafts_have_the_fields_of_what_they_become() -> None:
    assert [one.name for one in fields(StepDraft)] == [one.name for one in fields(StepState)]
    assert {one.name for one in fields(RunDraft)} == {
        *(one.name for one in fields(RunState)),
        "touched",
        "closed",
    }
