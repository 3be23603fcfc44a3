"""`env`: variables are reviewed and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook_tui.actions.env.review import FileFault, parse, review
from tests.harness.actions import Bench, act, context, refused


@pytest.mark.parametrize(
    ("rule", "value", "fault"),
    [
        (None, "something", None),
        (None, "", "is empty"),
        ({"optional": True}, "", None),
        ({"optional": True}, "changeme", "looks like a placeholder"),
        (None, "<your-key>", "looks like a placeholder"),
        (None, "CHANGE_ME", "looks like a placeholder"),
        (None, "your-secret-key", "looks like a placeholder"),
        (None, "${KEY}", "looks like a placeholder"),
        (None, "xxxx", "looks like a placeholder"),
        (None, "put key here", "looks like a placeholder"),
        ({"placeholder": True}, "example", None),
        (None, "an example of a key", None),
        ({"min_length": 4}, "abc", "has 3 characters, and at least 4 were expected"),
        ({"pattern": r"\d+"}, "12", None),
        ({"pattern": r"\d+"}, "12a", r"does not match \d+"),
        ({"choices": ["a", "b"]}, "c", "is none of a, b"),
    ],
)
def test_rules(rule: dict[str, object] | None, value: str, fault: str | None) -> None:
    (found,) = review({"X": value}, {"X": rule}, known_only=False)
    assert found.fault == fault


def test_missing_and_unknown_ones() -> None:
    found = review({"A": "1", "B": "1"}, {"A": None, "C": None}, known_only=True)
    assert [(each.name, each.fault) for each in found] == [
        ("A", None),
        ("C", "is missing"),
        ("B", "has no rule"),
    ]


def test_files() -> None:
    text = "# x\nA=1\nexport B = two words # why\nC='a # b' # c\nD=\"q\"\nE=a#b\nA=2\n\n"
    assert parse(text) == {"A": "2", "B": "two words", "C": "a # b", "D": "q", "E": "a#b"}
    for line in ("no assignment", "A='open"):
        with pytest.raises(FileFault, match="line 1"):
            parse(line)


def test_a_review_shows_no_value(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KEY=hidden-value\nMODE=hidden-mode\nEXTRA=1\n")
    options = {
        "file": ".env",
        "values": {"TOKEN": "hidden-token", "PORT": 8080},
        "rules": {"KEY": {"min_length": 4}, "TOKEN": None, "PORT": {"pattern": r"\d+"}},
    }
    recorder = context(job := Bench(tmp_path).job("env", options))
    outcome = act(job, recorder)
    assert outcome.outputs == {"checked": "3"}
    assert "hidden" not in recorder.text() + repr(outcome)
    failing = options | {"rules": {"MODE": {"choices": ["x"]}, "NONE": None}, "known_only": True}
    recorder = context(job := Bench(tmp_path).job("env", failing))
    failure = refused(job, recorder)
    assert failure.sentence == (
        "6 of 6 variables are not as they should be: MODE is none of x; NONE is missing; "
        "KEY has no rule; EXTRA has no rule; TOKEN has no rule; and 1 more."
    )
    assert "hidden" not in recorder.text() + repr(failure.evidence)


def test_variables_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVIEWED", "yes")
    assert act(Bench(tmp_path).job("env", {"rules": {"REVIEWED": None}})).outputs == {
        "checked": "1"
    }


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    failure = refused(Bench(tmp_path).job("env", {"file": ".env", "rules": {"A": None}}))
    assert failure.sentence.endswith(".env cannot be reviewed: No such file or directory.")
