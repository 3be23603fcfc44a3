"""Another definition adopted on the way: which steps there are then, and what may not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from state.errors import FoldError
from state.events import (
    AttemptIntended,
    DefinitionAdopted,
    NoteAdded,
    Payload,
    QuestionAnswered,
    QuestionAsked,
    RunResumed,
    StepJudged,
    WhenDecided,
)
from state.json_value import Json
from state.run_state import RunState
from tests.harness.records import folded, line, started

_BEGUN: Sequence[Payload] = (
    AttemptIntended("b", 1, "run", "x/1", "m", "b"),
    NoteAdded("on c", "c"),
)


def adoption(*lines: str | Mapping[str, Json], kept: Sequence[str] = ()) -> DefinitionAdopted:
    """Return an adoption of these steps."""
    return DefinitionAdopted(
        definition={"deploy.yaml": "1" * 64},
        files={"deploy.yaml": "2" * 64},
        steps=tuple(line(one) if isinstance(one, str) else one for one in lines),
        kept=tuple(kept),
        changed=("c",),
        parameters={"version": "v1.4.0", "more": "x"},
        locks=("sandbox",),
        program="0.1.0",
    )


def _state(*events: Payload) -> RunState:
    return folded(started("a", "b", "c"), StepJudged("a", "succeeded"), *_BEGUN, *events)


def test_what_has_begun_stays_and_the_rest_is_as_the_new_outline_says() -> None:
    new = {**line("a"), "name": "Another name"}
    state = _state(adoption(new, "b", "d", line("e", "manual"), kept=("a", "b")))
    assert list(state.steps) == ["a", "b", "d", "e"]
    assert (state.steps["a"].name, state.steps["a"].status) == ("Do a", "succeeded")
    assert state.steps["b"].open_attempt is not None
    assert (state.steps["e"].action, state.steps["e"].status) == ("manual", "pending")
    assert [note.text for note in state.notes] == ["on c"]
    assert state.definition == {"deploy.yaml": "1" * 64}
    assert state.parameters == {"version": "v1.4.0", "more": "x"}
    assert [(one.operator, one.host) for one in state.adopted] == [("dana", "bastion")]


def test_a_step_that_nobody_began_takes_name_and_action_of_the_new_one() -> None:
    state = _state(adoption("a", "b", {**line("c", "wait"), "name": "Rest"}, kept=("a", "b")))
    assert (state.steps["c"].name, state.steps["c"].action) == ("Rest", "wait")
    assert [note.text for note in state.steps["c"].notes] == ["on c"]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (adoption("a", "c", kept=("a", "b")), "b is kept, and not there"),
        (adoption("a", "b", "c", kept=("a",)), "b has begun and is not kept"),
        (adoption("b", "a", kept=("a", "b")), "in the order"),
        (adoption("a", line("b", "wait"), kept=("a", "b")), "another action"),
        (adoption("a", "b", "b", kept=("a", "b")), "occurs twice"),
        (adoption("a", "b", line("d", group="g"), kept=("a", "b")), "not seen yet"),
    ],
)
def test_what_may_not_be_adopted(event: DefinitionAdopted, said: str) -> None:
    with pytest.raises(FoldError, match=said):
        _state(event)


def test_a_condition_that_was_decided_is_a_beginning() -> None:
    decided = WhenDecided("c", True, {})
    with pytest.raises(FoldError, match="c has begun"):
        _state(decided, adoption("a", "b", kept=("a", "b")))


def test_a_rollback_adopts_nothing() -> None:
    with pytest.raises(FoldError, match="rollback"):
        folded(started("a", base="1123-zzzz"), adoption("b"))


def test_the_wish_to_adopt_lasts_until_it_is_done_or_the_run_is_taken_up_again() -> None:
    asked = QuestionAsked("q1", None, "drift", "Which?", ("keep", "adopt"))
    wished = (asked, QuestionAnswered("q1", "adopt", "person"))
    assert not _state(asked).adopting
    assert _state(*wished).adopting
    assert not _state(asked, QuestionAnswered("q1", "keep", "person")).adopting
    assert not _state(*wished, adoption("a", "b", kept=("a", "b"))).adopting
    assert not _state(*wished, RunResumed(1.0, "0.2.0")).adopting
    assert _state(RunResumed(1.0, "0.2.0")).program == "0.2.0"
