"""What the bar and the head say while nothing is asked, from told runs."""

from __future__ import annotations

from dataclasses import replace

from runbook_tui.ui.heading import header
from runbook_tui.ui.now_bar import now_bar
from state.events import QuestionAnswered
from tests.ui.scenes import one_failed, scene
from tests.ui.story import Story


def test_the_bar_tells_what_waits_for_the_running_step(story: Story) -> None:
    question = one_failed(story)
    story.tell(QuestionAnswered(question, "rollback", "person"))
    said = [left.plain for left, _ in now_bar(scene(story)).lines]
    assert said[1:] == ["The rollback is asked when Run all tests has ended; d x stops it."]


def test_the_bar_and_the_head_tell_that_the_journal_is_away(story: Story) -> None:
    why = "The database postgresql://dana@db.example.org/runbook cannot be reached: " + "no. " * 20
    away = replace(scene(story), away=why)
    bar = now_bar(away)
    assert bar.title.plain == "The journal is away"
    lines = [left.plain for left, _ in bar.lines]
    assert [len(line) <= 76 for line in lines] == [True, True]
    assert why.startswith(" ".join(lines))
    assert header(away).where.plain == "The journal is away · waits for it; what runs goes on"


def test_the_bar_tells_that_an_abort_waits(story: Story) -> None:
    question = one_failed(story)
    story.tell(QuestionAnswered(question, "abort", "person"))
    said = [left.plain for left, _ in now_bar(scene(story)).lines]
    assert said[1:] == ["The run ends when Run all tests has ended; d x stops it."]
