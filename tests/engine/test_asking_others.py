"""While others are to approve: reminding them, and taking the question back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runbook_tui import exits
from runbook_tui.definition.problems import UsageProblem
from runbook_tui.engine import approvals, telling, voting
from runbook_tui.engine.asking_others import WITHDRAWN
from runbook_tui.engine.headless import HeadlessOperator
from runbook_tui.engine.policy import parse
from runbook_tui.engine.ports import HandOver, NotNow, Remind, TakeBack
from runbook_tui.engine.sending import Sender
from state.run_state import RunState
from tests.engine.test_people import Roles
from tests.harness.plans import plan, step
from tests.harness.stage import RUN, ScriptedOperator, Stage

PLAN = plan(step("a", confirm="approval"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbook_tui.engine.mail.LOOK_EVERY", 0.01)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """`role_dana` drives; the journal knows who is who."""
    made = Stage(tmp_path)
    made.place = replace(made.place, store=replace(made.store, identities=Roles()))
    yield made
    made.pool.close()


def asks(kind: str) -> Callable[[RunState], bool]:
    return lambda state: [one.asks for one in state.questions] == [kind]


def approves(stage: Stage, question: str) -> Callable[[], None]:
    """A cue: lee approves a question, open or not, as it was asked."""

    def send() -> None:
        state = stage.journal.state()
        asked = state.question(question) or state.answered[question].question
        data = approvals.data(asked, state, "seen")
        sent = stage.inbox.send(RUN, "approve", data, sender="lee", host="desk")
        stage.inbox.messages[-1] = replace(sent, identity="role_lee")

    return send


def refusals(stage: Stage) -> list[Any]:
    return [
        one.data["refused"] for one in stage.journal.records[RUN] if one.kind == "message_taken"
    ]


def test_what_was_taken_back_is_asked_again_and_the_late_word_does_not_count(stage: Stage) -> None:
    operator = ScriptedOperator({WITHDRAWN: ["retry"]}, person=True)
    operator.when(asks("approval"), TakeBack("q1", "wrong version"))
    operator.when(asks("approval"), approves(stage, "q1"))
    operator.when(lambda state: len(state.messages) == 1, approves(stage, "q3"))
    assert stage.drive(PLAN, operator) == exits.DONE
    [late, counts] = refusals(stage)
    assert "the question was withdrawn at" in late
    assert "taken back by dana@here: wrong version" in late
    assert counts is None
    assert stage.pool.acted == ["a"]
    asked = stage.journal.state().answered
    assert [(one.choice, one.question.asks) for one in asked.values()] == [
        (None, "approval"),
        ("retry", WITHDRAWN),
        ("approve", "approval"),
    ]


def test_while_it_waits_for_the_driver_nothing_begins_and_it_may_be_skipped(stage: Stage) -> None:
    operator = ScriptedOperator(person=True)
    operator.when(asks("approval"), TakeBack("q1", "wrong version"))
    operator.when(asks(WITHDRAWN), approves(stage, "q1"))
    operator.when(lambda state: bool(state.messages), HandOver("kim", "mine is over"))
    assert stage.drive(PLAN, operator) == exits.WAITS
    assert stage.statuses() == {"a": "waiting"}
    assert "withdrawn at" in refusals(stage)[0]
    lee = Sender("lee", "desk")
    with pytest.raises(UsageProblem, match="does not wait for an approval: the question was with"):
        voting.vote(stage.place.store, stage.journal.state(), "a", "approve", "", lee)

    lines: list[str] = []
    with HeadlessOperator(parse(yes=True, confirms=(), answers=()), lines.append) as headless:
        assert stage.drive(PLAN, headless) == exits.WAITS  # type: ignore[arg-type]  # as good as one
    assert "one of retry, skip" in "\n".join(lines)

    given = parse(yes=False, confirms=(), answers=("a=skip:not today",))
    with HeadlessOperator(given, lines.append) as headless:
        assert stage.drive(PLAN, headless) == exits.DONE  # type: ignore[arg-type]
    assert stage.statuses() == {"a": "skipped"}
    assert stage.pool.acted == []


def test_back_from_a_rollback_the_same_is_asked(stage: Stage) -> None:
    operator = ScriptedOperator({WITHDRAWN: ["rollback"]}, person=True)
    operator.when(asks("approval"), TakeBack("q1", "wrong version"))
    operator.when(asks("rollback"), NotNow("q3"))
    operator.when(asks(WITHDRAWN), HandOver("lee", "x"))
    assert stage.drive(PLAN, operator) == exits.WAITS
    [question] = stage.journal.state().questions
    assert question.shown["reason"] == "taken back by dana@here: wrong version"


def test_a_reminder_is_kept_with_the_question_and_as_a_note(stage: Stage) -> None:
    operator = ScriptedOperator(person=True)
    operator.when(asks("approval"), Remind("q1"))
    operator.when(lambda state: bool(state.steps["a"].notes), Remind("q9"))
    operator.when(lambda state: True, Remind("q1"))
    operator.when(lambda state: len(state.steps["a"].notes) == 2, HandOver("lee", "x"))
    assert stage.drive(PLAN, operator) == exits.WAITS
    assert stage.journal.kinds().count("approvers_reminded") == 2
    state = stage.journal.state()
    assert len(state.questions[0].reminders) == 2
    told = [telling.line(state, one) for one in stage.journal.records[RUN]]
    assert sum("are reminded of: Begin A?" in str(line) for line in told) == 2
    assert [note.text for note in state.steps["a"].notes] == [
        "Reminded those who may approve it",
        "Reminded those who may approve it",
    ]


def test_what_is_no_question_for_others_is_neither_reminded_of_nor_taken_back(
    stage: Stage,
) -> None:
    operator = ScriptedOperator(person=True)
    operator.when(asks("confirm"), Remind("q1"))
    operator.when(asks("confirm"), TakeBack("q1", "x"))
    operator.when(asks("confirm"), HandOver("lee", "x"))
    assert stage.drive(plan(step("a", confirm="ask")), operator) == exits.WAITS
    assert asks("confirm")(stage.journal.state())
