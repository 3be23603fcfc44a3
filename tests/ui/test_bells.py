"""When an open question rings."""

from __future__ import annotations

from runbook_tui.ui.bells import AGAIN, Bells


def test_a_question_rings_at_once_and_three_times_more() -> None:
    bells = Bells()
    seconds = range(4000)
    assert [now for now in seconds if bells.due("q1", now)] == [0, *(int(at) + 1 for at in AGAIN)]


def test_another_question_rings_at_once() -> None:
    bells = Bells()
    assert bells.due("q1", 0.0)
    assert not bells.due("q1", 1.0)
    assert bells.due("q2", 1.0)
    assert bells.due("q1", 2.0)
