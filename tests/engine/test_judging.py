"""From a result and what looks found to an outcome: the whole table."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from runbook_tui.engine import judging
from runbook_tui.engine.judging import TIMEOUT, Seen, Subject, died, looks, outcome
from state.status import Verdict
from state.stores.result import Result

SUBJECT = Subject("a", 1, reads=False, probes=True, verifies=True)
DONE = Result("succeeded", effect="done")
BROKEN = Result("failed", reason="broken")
LATE = Result("failed", reason="late", cause=TIMEOUT)
STOPPED = Result("stopped", reason="stopped")
LOST = Result("unknown", reason="connection lost")
DEAD = died("its worker is gone")


@pytest.mark.parametrize(
    ("subject", "result", "expected"),
    [
        (SUBJECT, DONE, ("verify",)),
        (replace(SUBJECT, verifies=False), DONE, ()),
        (SUBJECT, BROKEN, ("probe", "verify")),
        (SUBJECT, replace(BROKEN, effect="none"), ()),
        (SUBJECT, replace(BROKEN, effect="done"), ()),
        (SUBJECT, replace(BROKEN, effect="partial"), ("probe", "verify")),
        (replace(SUBJECT, reads=True), BROKEN, ()),
        (replace(SUBJECT, undo=True), LOST, ("probe",)),
        (replace(SUBJECT, undo=True, probes=False), LOST, ()),
        (replace(SUBJECT, undo=True), DONE, ()),
        (replace(SUBJECT, undo=True), replace(BROKEN, effect="none"), ()),
        (replace(SUBJECT, probes=False), DEAD, ("verify",)),
    ],
)
def test_which_looks_are_had(subject: Subject, result: Result, expected: tuple[str, ...]) -> None:
    assert looks(subject, result) == expected


TABLE = {
    # result: present, absent, partial, unknown, running -> status and effect
    "done": (DONE, "succeeded done", "failed none", *["unknown unknown"] * 3),
    "broken": (
        BROKEN,
        "failed done",
        "failed none",
        "failed partial",
        "failed unknown",
        "unknown unknown",
    ),
    "late": (
        LATE,
        "succeeded done",
        "failed none",
        "failed partial",
        "unknown unknown",
        "unknown unknown",
    ),
    "stopped": (
        STOPPED,
        "succeeded done",
        "stopped none",
        "failed partial",
        "stopped unknown",
        "stopped unknown",
    ),
    "lost": (
        LOST,
        "succeeded done",
        "failed none",
        "failed partial",
        "unknown unknown",
        "unknown unknown",
    ),
    "dead": (
        DEAD,
        "succeeded done",
        "failed none",
        "unknown partial",
        "unknown unknown",
        "unknown unknown",
    ),
}
VERDICTS = (
    Verdict.PRESENT,
    Verdict.ABSENT,
    Verdict.PARTIAL,
    Verdict.UNKNOWN,
    Verdict.RUNNING,
)


@pytest.mark.parametrize(("name", "at"), list(product(TABLE, range(5))))
def test_outcomes(name: str, at: int) -> None:
    result, *expected = TABLE[name]
    assert isinstance(result, Result)
    seen = [Seen("probe", VERDICTS[at], "looked", found=("here",))]
    ended = outcome(SUBJECT, result, seen)
    assert f"{ended.status} {ended.effect}" == expected[at]
    assert ended.verdict == VERDICTS[at]
    assert ended.proof == ("machine" if ended.status == "succeeded" else None)
    assert ended.detail["found"] == ["here"]
    assert ended.adopted == (ended.status == "succeeded" and name != "done")


def test_the_worse_of_two_looks_counts() -> None:
    seen = [Seen("probe", Verdict.PRESENT, "there"), Seen("verify", Verdict.ABSENT, "not there")]
    assert outcome(SUBJECT, DEAD, seen).verdict == "absent"


@pytest.mark.parametrize("result", [LATE, STOPPED, LOST, DEAD])
def test_what_was_there_before_is_not_adopted(result: Result) -> None:
    seen = [Seen("verify", Verdict.PRESENT, "there")]
    ended = outcome(replace(SUBJECT, ours=False), result, seen)
    assert ended.status in ("unknown", "stopped")
    assert "nobody can tell" in str(ended.reason)


@pytest.mark.parametrize("result", [BROKEN, LATE, LOST, DEAD])
def test_what_only_reads_has_failed_and_left_nothing(result: Result) -> None:
    ended = outcome(replace(SUBJECT, reads=True), result, [])
    assert (ended.status, ended.effect) == ("failed", "none")


def test_an_adopted_step_hands_on_what_the_look_found() -> None:
    seen = [
        Seen("probe", Verdict.PRESENT, "there", outputs={"x": "1"}, by_host={"h": {"y": "2"}}),
        Seen("verify", Verdict.PRESENT, "there", by_host={"h": {"z": "3"}}),
    ]
    ended = outcome(SUBJECT, DEAD, seen)
    assert (ended.outputs, ended.by_host) == ({"x": "1"}, {"h": {"y": "2", "z": "3"}})
    assert judging.handed_on([]) == ({}, {})
