"""Folding what people say who do not drive, and who drives instead of whom."""

from __future__ import annotations

import pytest

from state.codec import chain, head_of
from state.errors import FoldError
from state.events import (
    ApprovalGiven,
    ApproversReminded,
    HandedOver,
    MessageTaken,
    NoteReceived,
    Payload,
    QuestionAnswered,
    QuestionAsked,
    RunEnded,
    RunResumed,
    TakenOver,
)
from state.fold import fold
from tests.harness.records import chained, folded, started

AB = started("a", "b")
AT = "2026-11-23T12:59:39.000000Z"
ASKED = QuestionAsked("q1", "a", "approval", "Deploy?", ("approve", "skip"))
LEE = ApprovalGiven("q1", "lee", "desk", "role_lee", AT, "looked at it")
TAKEN = MessageTaken("m1", "note", "lee", "desk", "", AT)


def test_a_note_from_afar_is_its_senders() -> None:
    state = folded(AB, TAKEN, NoteReceived("slow", "a", "lee", "desk"))
    [note] = state.step("a").notes
    assert (note.text, note.operator, note.host) == ("slow", "lee", "desk")
    assert state.messages == {"m1"}


def test_a_note_from_afar_may_follow_the_end() -> None:
    state = folded(AB, RunEnded("aborted"), TAKEN, NoteReceived("why?", None, "lee", "desk"))
    assert [note.operator for note in state.notes] == ["lee"]


def test_approvals_gather_on_their_question_and_stay_with_its_answer() -> None:
    sam = ApprovalGiven("q1", "sam", "lab", "role_sam", AT)
    state = folded(AB, ASKED, LEE, sam)
    given = state.questions[0].approvals
    assert [one.identity for one in given] == ["role_lee", "role_sam"]
    assert (given[0].reason, given[0].until) == ("looked at it", AT)
    done = folded(AB, ASKED, LEE, sam, QuestionAnswered("q1", "approve", "person"))
    assert done.answered["q1"].question.approvals == given


def test_a_reminder_stays_with_its_question_and_is_a_note() -> None:
    state = folded(AB, ASKED, ApproversReminded("q1", ("lee@desk", "sam@lab")), LEE)
    assert len(state.questions[0].reminders) == 1
    assert len(state.questions[0].approvals) == 1
    [note] = state.step("a").notes
    assert note.text == "Reminded those who may approve it; lee@desk, sam@lab watched"


def test_of_each_identity_the_latest_approval_counts() -> None:
    later = ApprovalGiven("q1", "lee", "desk", "role_lee", "2026-11-23T14:00:00.000000Z")
    [given] = folded(AB, ASKED, LEE, later).questions[0].approvals
    assert given.until == later.until


def test_a_take_over_says_whom_and_why() -> None:
    taken = TakenOver("dana", "bastion", "she is away", "expired")
    state = folded(AB, RunResumed(1.0, "x"), taken)
    assert state.replaced is not None
    assert (state.replaced.before, state.replaced.how) == ("dana", "expired")


def test_the_driver_is_whoever_took_it_up_last() -> None:
    [first] = chained([AB])
    resumed = RunResumed(1.0, "x")
    record = chain(head_of(first), first.run, AT, resumed, operator="lee", host="desk", token=2)
    state = fold([first, record])
    assert (state.driver, state.driver_host) == ("lee", "desk")
    assert (state.operator, state.host) == ("dana", "bastion")


REFUSED: dict[str, tuple[tuple[Payload, ...], str]] = {
    "a message twice": ((AB, TAKEN, TAKEN), "was taken before"),
    "a message that is none": ((AB, MessageTaken("m1", "x", "l", "d", "", AT)), "nobody sends x"),
    "an approval of nothing": ((AB, LEE), "is not open"),
    "a reminder of nothing": ((AB, ApproversReminded("q1")), "is not open"),
    "an approval of something else": (
        (AB, QuestionAsked("q1", "a", "confirm", "x", ("yes",)), LEE),
        "asks for no approval",
    ),
    "taken over somehow": ((AB, TakenOver("d", "b", "r", "luck")), "takes over as luck"),
    "handed over to nobody": ((AB, HandedOver("", "r")), "to somebody"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_event_that_cannot_follow_is_refused(case: str) -> None:
    payloads, why = REFUSED[case]
    with pytest.raises(FoldError, match=why):
        folded(*payloads)
