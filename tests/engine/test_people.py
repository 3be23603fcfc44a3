"""What people tell a driver who do not drive: taken once, journaled, obeyed or refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runbook_tui import exits
from runbook_tui.engine import approvals, clock, messages
from runbook_tui.engine.decisions import Approve, AskConfirm, Begin, Withdraw
from runbook_tui.engine.environments_in_use import InUse
from runbook_tui.engine.headless import HeadlessOperator
from runbook_tui.engine.policy import Policy
from runbook_tui.engine.ports import Answer, HandOver
from state.errors import Fenced
from state.events import ApprovalGiven, DefinitionAdopted, QuestionAsked, RunEnded
from state.messages import Message
from state.run_state import Adopted, RunState
from tests.harness.plans import Story, plan, step
from tests.harness.stage import RUN, ScriptedOperator, Stage, runs

LEE = {"sender": "lee", "host": "desk"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.pool.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbook_tui.engine.mail.LOOK_EVERY", 0.01)


class Roles:
    """Identities as a database would know them; whose word is asked for is `me`."""

    def __init__(self, me: str = "role_dana", **roles: str) -> None:
        self.me = me
        self.roles = roles

    def own(self) -> str:
        return self.me

    def is_member(self, identity: str, role: str) -> bool:
        return role in (identity, self.roles.get(identity))


def running(state: RunState) -> bool:
    return bool(state.open_attempts())


def sends(stage: Stage, kind: str, **data: Any) -> Any:
    """A cue: lee sends a message."""

    def send() -> None:
        stage.inbox.send(RUN, kind, data, **LEE)

    return send


def taken(stage: Stage) -> list[Mapping[str, Any]]:
    return [one.data for one in stage.journal.records[RUN] if one.kind == "message_taken"]


def test_a_note_is_journaled_with_its_writer(stage: Stage) -> None:
    stage.pool.on("a", runs())
    operator = ScriptedOperator()
    operator.when(running, sends(stage, "note", text="it is slow", step="a"))
    operator.when(lambda state: bool(state.steps["a"].notes), lambda: stage.pool.finish("a"))
    assert stage.drive(plan(step("a")), operator) == exits.DONE
    [note] = stage.journal.state().steps["a"].notes
    assert (note.text, note.operator, note.host) == ("it is slow", "lee", "desk")
    assert stage.inbox.pending(RUN) == []


def test_what_makes_no_sense_is_refused_in_words(stage: Stage) -> None:
    stage.pool.on("a", runs())
    operator = ScriptedOperator()
    operator.when(running, sends(stage, "note", text=7))
    operator.when(lambda state: len(state.messages) == 1, sends(stage, "note", text="x", step="z"))
    operator.when(lambda state: len(state.messages) == 2, sends(stage, "hand_over", reason="x"))
    operator.when(lambda state: len(state.messages) == 3, sends(stage, "damaged"))
    operator.when(lambda state: len(state.messages) == 4, lambda: stage.pool.finish("a"))
    assert stage.drive(plan(step("a")), operator) == exits.DONE
    said = [
        "the note is empty",
        "there is no step z",
        "it does not say to whom",
        "what it asks cannot be read (damaged)",
    ]
    assert [one["refused"] for one in taken(stage)] == said


def test_a_stop_stops_and_says_who_wanted_it(stage: Stage) -> None:
    stage.pool.on("a", runs())
    operator = ScriptedOperator({"a": ["abort"]})
    operator.when(running, sends(stage, "stop", step="a", reason="wrong branch"))
    assert stage.drive(plan(step("a")), operator) == exits.ABORTED
    assert stage.pool.stopped == ["a"]
    assert stage.journal.state().steps["a"].attempts[0].stop_reason == "lee@desk: wrong branch"


def test_a_message_is_obeyed_once_though_the_driver_died_before_clearing_it(
    stage: Stage,
) -> None:
    stage.pool.on("a", runs())
    done = stage.inbox.done
    stage.inbox.done = lambda run, ids: None  # type: ignore[method-assign]  # it dies just before
    operator = ScriptedOperator()
    operator.when(running, sends(stage, "note", text="once"))
    operator.when(lambda state: bool(state.notes), lambda: HandOver("lee", "x"))
    assert stage.drive(plan(step("a")), operator) == exits.WAITS
    assert len(stage.inbox.pending(RUN)) == 1
    stage.inbox.done = done  # type: ignore[method-assign]
    stage.pool.finish("a")
    assert stage.drive(plan(step("a"))) == exits.DONE
    assert [note.text for note in stage.journal.state().notes] == ["once"]
    assert stage.inbox.pending(RUN) == []


class TestTakeOver:
    def test_a_driver_without_a_person_leaves_at_once(self, stage: Stage) -> None:
        stage.pool.on("a", runs())
        lines: list[str] = []

        class Headless(HeadlessOperator):
            def commands(self, timeout: float) -> tuple[()]:
                if running(stage.journal.state()) and not stage.journal.state().messages:
                    sends(stage, "take_over", reason="dana is away")()
                return ()

        with (
            Headless(Policy(), lines.append) as operator,
            stage.session(plan(step("a"))) as session,
        ):
            assert session.drive(operator) == exits.IN_USE
        state = stage.journal.state()
        assert state.left == "lee@desk takes over: dana is away"
        assert running(state)

    def test_a_person_may_stay(self, stage: Stage) -> None:
        stage.pool.on("a", runs())
        operator = ScriptedOperator({"takeover": [("stay", "nearly done")]})
        operator.when(running, sends(stage, "take_over", reason="mine"))
        operator.when(
            lambda state: any(one.choice == "stay" for one in state.answered.values()),
            lambda: stage.pool.finish("a"),
        )
        assert stage.drive(plan(step("a")), operator) == exits.DONE

    def test_a_person_who_does_not_answer_is_taken_for_away(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(messages, "PATIENCE", 0.05)
        stage.pool.on("a", runs())
        operator = ScriptedOperator(person=True)
        operator.when(running, sends(stage, "take_over", reason="dana is away"))
        assert stage.drive(plan(step("a")), operator) == exits.IN_USE
        [asked] = stage.journal.state().answered.values()
        assert asked.choice is None
        assert "no answer" in str(asked.reason)

    def test_the_wish_ends_with_the_run(self, stage: Stage) -> None:
        stage.pool.on("a", runs())
        operator = ScriptedOperator(person=True)
        operator.when(running, sends(stage, "take_over", reason="mine"))
        operator.when(lambda state: bool(state.questions), lambda: stage.pool.finish("a"))
        assert stage.drive(plan(step("a")), operator) == exits.DONE
        assert stage.journal.records[RUN][-1].kind == RunEnded.kind

    def test_who_wanted_it_long_ago_is_not_waiting_any_more(self, stage: Stage) -> None:
        stage.pool.on("a", runs())
        old = Message("m1", RUN, "take_over", {"reason": "x"}, "lee", "desk", clock.utc(-90))
        stage.inbox.pending = lambda run: [old]  # type: ignore[method-assign]
        operator = ScriptedOperator()
        operator.when(lambda state: bool(state.messages), lambda: stage.pool.finish("a"))
        assert stage.drive(plan(step("a")), operator) == exits.DONE
        assert "too late" in taken(stage)[0]["refused"]

    def test_handing_over_says_to_whom(self, stage: Stage) -> None:
        stage.pool.on("a", runs())
        operator = ScriptedOperator().when(running, HandOver("lee", "end of my day"))
        assert stage.drive(plan(step("a")), operator) == exits.WAITS
        assert stage.journal.kinds()[-2:] == ["handed_over", "run_left"]
        assert stage.journal.state().left == "handed over to lee: end of my day"


def test_a_driver_whose_journal_is_fenced_ends_in_words(stage: Stage) -> None:
    stage.pool.on("a", runs())

    def fence(payloads: object) -> None:
        raise Fenced("a newer token has written")

    def lose() -> None:
        stage.journal.before_append = fence
        stage.pool.finish("a")

    operator = ScriptedOperator().when(running, lose)
    before = len(stage.journal.records.get(RUN, []))
    with pytest.raises(InUse, match="drives run 1123-k7f3 no more") as told:
        stage.drive(plan(step("a"), step("b")), operator)
    assert "runbook watch 1123-k7f3" in told.value.advice
    assert stage.journal.kinds()[before:][-1] == "attempt_intended"
    assert stage.pool.acted == ["a"]


class TestApproval:
    """`role_dana` drives and asks; the others come through the inbox."""

    def stage(self, stage: Stage, **roles: str) -> Roles:
        known = Roles(**roles)
        stage.place = replace(stage.place, store=replace(stage.store, identities=known))
        return known

    def says(self, stage: Stage, kind: str, who: str, at: str | None = None, **changed: str) -> Any:
        """A cue: somebody says yes or no to the open question."""

        def send() -> None:
            state = stage.journal.state()
            data = {**approvals.data(state.questions[0], state, "seen"), **changed}
            sent = stage.inbox.send(RUN, kind, data, sender=who, host="desk")
            kept = replace(sent, identity=f"role_{who}", at=at or sent.at)
            stage.inbox.messages[-1] = kept

        return send

    def drive(self, stage: Stage, operator: ScriptedOperator, **given: Any) -> int:
        return stage.drive(plan(step("a", confirm="approval", **given)), operator)

    def test_another_role_approves_and_it_begins(self, stage: Stage) -> None:
        self.stage(stage)
        operator = ScriptedOperator(person=True)
        operator.when(lambda state: bool(state.questions), self.says(stage, "approve", "lee"))
        assert self.drive(stage, operator) == exits.DONE
        [asked] = stage.journal.state().answered.values()
        assert asked.choice == "approve"
        assert "lee@desk (role_lee)" in str(asked.reason)
        assert stage.pool.acted == ["a"]

    def test_two_must_when_two_are_wanted(self, stage: Stage) -> None:
        self.stage(stage)
        operator = ScriptedOperator(person=True)

        def given(count: int) -> Any:
            return lambda state: (
                bool(state.questions) and len(state.questions[0].approvals) == count
            )

        operator.when(given(0), self.says(stage, "approve", "lee"))
        operator.when(given(1), self.says(stage, "approve", "lee"))
        operator.when(lambda state: len(state.messages) == 2, lambda: None)
        operator.when(given(1), self.says(stage, "approve", "sam"))
        assert self.drive(stage, operator, approvers=2) == exits.DONE
        assert stage.pool.acted == ["a"]
        [asked] = stage.journal.state().answered.values()
        assert [one.identity for one in asked.question.approvals] == ["role_lee", "role_sam"]

    @pytest.mark.parametrize(
        ("who", "changed", "why"),
        [
            ("dana", {}, "cannot approve it"),
            ("sam", {}, "in none of the roles"),
            ("lee", {"binding": "0" * 64}, "something else"),
            ("lee", {"question": "q9"}, "something else"),
            ("lee", {"at": "2026-01-01T00:00:00.000000Z"}, "expired"),
        ],
    )
    def test_what_does_not_count(
        self, stage: Stage, who: str, changed: dict[str, str], why: str
    ) -> None:
        self.stage(stage, role_lee="release")
        operator = ScriptedOperator(person=True)
        operator.when(
            lambda state: bool(state.questions), self.says(stage, "approve", who, **changed)
        )
        operator.when(lambda state: bool(state.messages), HandOver("lee", "that did not count"))
        assert self.drive(stage, operator, roles=("release",)) == exits.WAITS
        assert why in taken(stage)[0]["refused"]
        assert stage.pool.acted == []

    def test_a_refusal_fails_the_step_with_its_reason(self, stage: Stage) -> None:
        self.stage(stage)
        operator = ScriptedOperator({"failure": ["abort"]}, person=True)
        operator.when(lambda state: bool(state.questions), self.says(stage, "deny", "lee"))
        assert self.drive(stage, operator) == exits.ABORTED
        [reason] = [one for one in [stage.journal.state().steps["a"].reason] if one]
        assert "lee@desk (role_lee) refused: seen" in reason
        assert stage.pool.acted == []

    def test_the_one_who_drives_cannot_say_it_for_another(self, stage: Stage) -> None:
        self.stage(stage)
        operator = ScriptedOperator(person=True)
        operator.when(
            lambda state: bool(state.questions), Answer("q1", "approve", "person", "me too")
        )
        operator.when(lambda state: bool(operator.refusals), HandOver("lee", "x"))
        assert self.drive(stage, operator) == exits.WAITS
        assert "Another operator must say" in operator.refusals[0]

    def test_without_a_driver_it_waits_for_the_next(self, stage: Stage) -> None:
        self.stage(stage)
        assert self.drive(stage, ScriptedOperator()) == exits.WAITS
        self.says(stage, "approve", "lee")()
        assert self.drive(stage, ScriptedOperator()) == exits.DONE


EARLY, LATE = "2026-11-23T00:00:00.000000Z", "2026-11-23T09:00:00.000000Z"


def approving(**changed: Any) -> Story:
    """A run that waits for an approval of its only step."""
    story = Story(plan(step("a", confirm="approval")))
    shown = {**approvals.shown(story.plan.step("a"), story.state, "role_dana"), **changed}
    asked = QuestionAsked("q1", "a", "approval", "Begin?", ("approve", "deny"), None, shown)
    return story.tell(asked)


def lee(until: str) -> ApprovalGiven:
    return ApprovalGiven("q1", "lee", "desk", "role_lee", until)


def test_only_an_approval_that_has_not_expired_counts() -> None:
    assert approving().next() == ()
    assert approving().tell(lee(EARLY)).next() == ()
    assert approving().tell(lee(LATE)).next() == (Approve("a"),)


def test_what_was_approved_in_time_and_not_begun_in_time_is_asked_anew() -> None:
    def answered(until: str) -> Story:
        return approving().answered("approve", fields={"until": until})

    assert answered(LATE).next() == (Begin("a"),)
    assert answered(EARLY).next() == (AskConfirm("a"),)


def test_a_question_about_something_that_has_changed_is_withdrawn() -> None:
    [decision] = approving(binding="0" * 64).tell(lee(LATE)).next()
    assert isinstance(decision, Withdraw)


def test_the_binding_is_to_run_step_try_definition_and_parameters() -> None:
    state = approving().state
    bound = approvals.binding(state, "a")
    started = state.started
    other = DefinitionAdopted({"test.yaml": "8" * 64}, {}, started.steps, (), ("a",), {}, (), "x")
    adopted = Adopted(other, "dana", "here", EARLY)
    others = [
        replace(state, run="other"),
        replace(state, started=replace(started, parameters={"version": "v9"})),
        replace(state, started=replace(started, definition={"test.yaml": "9" * 64})),
        replace(state, adopted=(adopted,)),
        approving().answered("approve").tried("a", "failed").state,
    ]
    assert bound not in [approvals.binding(one, "a") for one in others]
