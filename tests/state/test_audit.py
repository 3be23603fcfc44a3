"""The chain: what was written is found whole, and every change to it is found."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from state.audit import audit
from state.codec import EMPTY, Head, as_kept, canonical, head_of, record_hash, record_line, seal
from state.events import NoteAdded, Record
from tests.harness.records import chained, started
from tests.state.legal_runs import runs
from tests.state.test_fold import FAST

THREE = chained([started("a"), NoteAdded("one"), NoteAdded("two")])


def said(records: list[Record], head: Head | None) -> list[str]:
    """Return the sentences of an audit."""
    return [fault.text for fault in audit(records, head, "1123-k7f3")]


@FAST
@given(runs(longest=12), st.data())
def test_every_change_is_found(records: list[Record], data: st.DataObject) -> None:
    head = head_of(records[-1])
    assert audit(records, head) == []
    place = data.draw(st.integers(0, len(records) - 1))
    victim = records[place]
    changed = data.draw(
        st.sampled_from(
            [
                replace(victim, operator="lee"),
                replace(victim, host="desk"),
                replace(victim, at="2026-11-23T00:00:00.000000Z"),
                replace(victim, kind="run_left"),
                replace(victim, token=9),
                replace(victim, data={**victim.data, "step": "z"}),
                replace(victim, prev="f" * 64),
                replace(victim, seq=victim.seq + 1),
                replace(victim, run="other"),
            ]
        )
    )
    assume(changed != victim)
    assert audit([*records[:place], changed, *records[place + 1 :]], head, victim.run)
    forged = replace(changed, hash=record_hash(changed))
    assert audit([*records[:place], forged, *records[place + 1 :]], head, victim.run)
    unhashed = replace(victim, hash="f" * 64)
    assert audit([*records[:place], unhashed, *records[place + 1 :]], head)
    assert audit([*records[:place], *records[place + 1 :]], head), "a gap, or a cut tail"
    assert audit([*records[:place], victim, *records[place:]], head), "a record twice"
    other = data.draw(st.integers(0, len(records) - 1))
    assume(other != place)
    swapped = list(records)
    swapped[place], swapped[other] = swapped[other], swapped[place]
    assert audit(swapped, head)
    assert audit(records[:place], head), "a cut tail"


@pytest.mark.parametrize(
    ("records", "head", "sentences"),
    [
        (THREE, head_of(THREE[-1]), []),
        ([], EMPTY, []),
        ([], None, []),
        (THREE[:2], head_of(THREE[-1]), ["The last 1 of 3 events are missing."]),
        (THREE, head_of(THREE[1]), ["The head counts 2 events, there are 3."]),
        (THREE, Head(3, "f" * 64), ["Event 3 is not the one that the head vouches for."]),
        (THREE, None, ["The journal has no head for this run."]),
        ([THREE[0], THREE[2]], head_of(THREE[-1]), ["Event 2 is missing."]),
        ([THREE[2]], head_of(THREE[-1]), ["Events 1 to 2 are missing."]),
        (
            [THREE[0], THREE[2], THREE[1]],
            head_of(THREE[-1]),
            [
                "Event 2 is missing.",
                "Event 2 stands after event 3.",
                "The last 1 of 3 events are missing.",
            ],
        ),
        (
            [THREE[0], replace(THREE[1], data={"text": "forged"}), THREE[2]],
            head_of(THREE[-1]),
            ["Event 2 (note_added) is not as it was written."],
        ),
    ],
)
def test_faults_are_told_in_words(
    records: list[Record], head: Head | None, sentences: list[str]
) -> None:
    assert said(records, head) == sentences


def test_genuine_events_that_contradict_each_other_are_found() -> None:
    twice = chained([started("a"), started("a")])
    [fault] = audit(twice, head_of(twice[-1]))
    assert "contradict each other: event 2 (run_started)" in fault.text


def test_the_line_of_an_event_and_the_seal_are_stable() -> None:
    first = THREE[0]
    assert record_line(THREE[1]) == (
        '{"at":"2026-11-23T11:59:39.000000Z","data":{"step":null,"text":"one"},'
        f'"hash":"{THREE[1].hash}","host":"bastion","kind":"note_added","operator":"dana",'
        f'"prev":"{first.hash}","run":"1123-k7f3","seq":2,"token":1}}'
    )
    assert seal(head_of(THREE[2])) == f"3 events, sha256:{THREE[2].hash}"
    [alone] = chained([NoteAdded("Grüße")])
    assert alone.prev == "0" * 64
    hashed = (
        '{"at":"2026-11-23T11:59:39.000000Z","data":{"step":null,"text":"Grüße"},'
        '"host":"bastion","kind":"note_added","operator":"dana",'
        f'"prev":"{"0" * 64}","run":"1123-k7f3","seq":1,"token":1}}'
    )
    assert alone.hash == hashlib.sha256(hashed.encode()).hexdigest()


def test_the_text_that_a_store_kept_stands_for_its_data_when_it_is_what_was_hashed() -> None:
    record = THREE[1]
    assert record_hash(as_kept(replace(record), canonical(record.data))) == record.hash
    spaced = as_kept(replace(record), canonical(record.data).replace(":", ": "))
    assert record_hash(spaced) == record.hash, "the same data, written otherwise"
    assert spaced == record


@pytest.mark.parametrize(
    "change",
    [{"kind": "run_left"}, {"at": 7}, {"token": True}, {"operator": "\ud800"}, {"prev": "f" * 64}],
    ids=str,
)
def test_a_change_is_found_in_a_record_whose_text_was_kept(change: dict[str, Any]) -> None:
    kept = canonical(THREE[1].data)
    changed = as_kept(replace(THREE[1], **change), kept)
    assert said([THREE[0], changed, THREE[2]], head_of(THREE[2]))


def test_another_text_is_found() -> None:
    other = {"step": None, "text": "none"}
    changed = as_kept(replace(THREE[1], data=other), canonical(other))
    assert said([THREE[0], changed, THREE[2]], head_of(THREE[2])) == [
        "Event 2 (note_added) is not as it was written."
    ]


def test_no_field_of_a_file_can_be_the_text() -> None:
    fields = json.loads(record_line(THREE[1]))
    with pytest.raises(TypeError, match="text"):
        Record(**{**fields, "text": "{}"})
