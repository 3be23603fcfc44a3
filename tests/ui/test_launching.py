"""What the screen that starts a run says, from plans and checks."""

from __future__ import annotations

from typing import Literal

import pytest

from runbook_tui.ui.backend import Check
from runbook_tui.ui.launching import blocked, counts, start_question

Level = Literal["good", "warns", "blocks"]


def check(level: Level) -> Check:
    return Check(f"{level} one", "Looked at.", level)


def test_checks_are_counted_by_how_they_went_without_those_that_none_did() -> None:
    assert counts([check("good"), check("blocks"), check("good")]) == ["2 good", "1 block"]
    assert counts([]) == []


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        (("good", "warns"), ""),
        (("blocks",), "1 check blocks. Mend it; tab to it, enter checks again."),
        (("blocks", "blocks"), "2 checks block. Mend it; tab to it, enter checks again."),
    ],
)
def test_only_what_blocks_keeps_the_run_from_starting(levels: tuple[Level, ...], said: str) -> None:
    assert blocked([check(level) for level in levels]) == said


def test_a_protected_environment_is_typed_and_nothing_else_starts_it() -> None:
    checks = [check("warns")]
    free = start_question("Ship it", ("staging", False), (), checks, checking=True)
    assert [choice.value for choice in free.choices] == ["", "start"]
    assert [line.plain for line in free.lines[1:]] == [
        "Warned: warns one.",
        "Preflight is still checking.",
    ]
    kept = start_question("Ship it", ("production", True), (), checks, checking=False)
    assert [choice.value for choice in kept.choices] == [""]
    assert (kept.typed, kept.question.plain) == ("production", "Start Ship it in production?")
