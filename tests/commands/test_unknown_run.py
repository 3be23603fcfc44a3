"""A run that is not there, in the same words by every command of people who do not drive."""

from __future__ import annotations

import pytest

from runbook_tui import exits
from tests.commands.conftest import Program


@pytest.mark.parametrize(
    "words",
    [
        ("watch", "0101-none"),
        ("note", "0101-none", "x"),
        ("approve", "0101-none", "a"),
        ("deny", "0101-none", "a", "--reason", "x"),
        ("take-over", "0101-none", "--reason", "x", "--headless"),
        ("handover", "0101-none", "--to", "lee"),
    ],
)
def test_a_run_that_is_not_there(program: Program, words: tuple[str, ...]) -> None:
    said = program(*words)
    assert (said.code, "There is no run 0101-none" in said.err) == (exits.USAGE, True)
