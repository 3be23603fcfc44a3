"""Payloads to JSON data and back, strictly."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.codec import canonical
from state.errors import CodecError
from state.events import AttemptEnded, NoteAdded, Payload, Record, RunResumed
from state.json_value import Json
from state.payloads import from_data, plain, to_data
from state.status import Verdict
from tests.harness.records import started
from tests.state.legal_runs import runs
from tests.state.test_fold import FAST


@FAST
@given(runs(longest=15))
def test_what_is_read_back_is_what_was_written(records: list[Record]) -> None:
    for record in records:
        data = json.loads(canonical(record.data))
        payload = from_data(record.kind, data)
        assert to_data(payload) == record.data == data
        assert from_data(record.kind, to_data(payload)) == payload


def test_defaults_are_filled_in() -> None:
    read = from_data("attempt_ended", {"step": "a", "number": 1, "status": "failed"})
    assert read == AttemptEnded("a", 1, "failed")


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("nothing_known", {}, "unknown kind 'nothing_known'"),
        ("note_added", {"text": "x", "colour": "red"}, "unknown field 'colour'"),
        ("note_added", {}, "lacks the field 'text'"),
        ("note_added", {"text": 7}, "note_added.text is int"),
        ("note_added", {"text": None}, "note_added.text is NoneType"),
        ("stop_asked", {"step": "a", "number": True, "reason": "x"}, "number is bool"),
        ("step_judged", {"step": "a", "status": "failed", "evidence": "x"}, "evidence is str"),
        ("when_decided", {"step": "a", "result": True, "values": []}, "values is list"),
    ],
)
def test_data_that_is_no_event_of_ours_is_refused(
    kind: str, data: dict[str, Json], why: str
) -> None:
    for _ in range(2):  # what was refused once is not taken for granted later
        with pytest.raises(CodecError, match=why):
            from_data(kind, data)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (NoteAdded("half \ud83d a pair"), "lone surrogate"),
        (RunResumed(float("nan"), "x"), "not finite"),
        (RunResumed(float("inf"), "x"), "not finite"),
        (AttemptEnded("a", 1, "failed", detail={"x": {1, 2}}), "a set cannot"),  # type: ignore[dict-item]  # what the test is about
        (AttemptEnded("a", 1, "failed", detail={"x": {1: 2}}), "the key 1"),  # type: ignore[dict-item]  # what the test is about
    ],
)
def test_what_json_cannot_hold_is_refused_before_it_is_written(payload: Payload, why: str) -> None:
    with pytest.raises(CodecError, match=why):
        to_data(payload)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner)
        ),
        max_leaves=8,
    )
)
@FAST
def test_plain_values_come_back_the_same(value: Json) -> None:
    assert json.loads(canonical(plain(value))) == plain(value) == value


def test_tuples_and_enums_become_what_is_read_back() -> None:
    written = plain({"verdicts": (Verdict.PRESENT, Verdict.ABSENT)})
    assert written == {"verdicts": ["present", "absent"]}
    assert type(to_data(started("a"))["steps"]) is list
