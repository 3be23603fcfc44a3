"""The Run screen by keys: what only looks, what keeps the focus, and what calls."""

from __future__ import annotations

import pytest

from runbook_tui.engine.ports import AddNote
from runbook_tui.ui.app import RunbookApp
from tests.harness.screen import frame, shows, until
from tests.ui.conftest import Clock
from tests.ui.story import HOSTILE, INERT, FakeBackend, Story, practice_plan
from tests.ui.told import (
    FAILURE,
    LARGE,
    REASON,
    failed,
    on_screen,
)


@pytest.mark.parametrize(
    ("wanted", "sequence"),
    [("9", "\x1b]9;{}\x07"), ("777", "\x1b]777;notify;runbook;{}\x07"), ("", "")],
)
async def test_a_question_rings_and_notifies_where_that_is_wanted(
    backend: FakeBackend,
    story: Story,
    fixed_clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    sequence: str,
) -> None:
    written: list[str] = []
    rung: list[bool] = []
    monkeypatch.setenv("RUNBOOK_NOTIFY", wanted)
    monkeypatch.setattr("runbook_tui.ui.app.grant", lambda _, words: written.append(words))
    monkeypatch.setattr(RunbookApp, "bell", lambda _: rung.append(True))
    failed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await until(pilot, lambda: rung == [True])
        notices = [one for one in written if not one.startswith("\x1b]0;")]
        words = "Run database migrations failed. What now?"
        assert notices == ([sequence.format(words)] if sequence else [])


async def test_a_question_arriving_leaves_a_note_being_written_alone(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    story.migrating()
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "waits for a lock")
        await pilot.press("m")
        await shows(pilot, "to Save")
        await pilot.press(*"vacuum ")
        story.end("migrate", "failed", reason=REASON)
        story.ask("migrate", "failure", "Run database migrations failed. What now?", *FAILURE)
        backend.publish()
        await shows(pilot, "What now?")
        await pilot.press(*"by kim")
        await shows(pilot, "vacuum by kim")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: backend.commands)
        assert backend.commands == [AddNote("vacuum by kim", "migrate")]


async def test_a_question_arriving_leaves_a_held_log_and_a_search_alone(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    story.migrating(*[f"line {number}" for number in range(100)])
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "line 99")
        await pilot.press("tab", "g", "slash", *"yes")
        await shows(pilot, "held at line 1 of 100", "Find")
        story.end("migrate", "unknown", reason="lost")
        story.ask("migrate", "unknown", "Run database migrations has no outcome?", *FAILURE)
        backend.publish()
        await shows(pilot, "has no outcome?")
        await pilot.press("y")
        assert backend.commands == []


async def test_keys_of_the_log_work_from_the_steps(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    failed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "What now?")
        await pilot.press("e")
        await shows(pilot, "[1 Log]", "1 marked · e next")
        await pilot.press("F")
        await shows(pilot, "follows the end")
        await pilot.press("at")
        await shows(pilot, "Go to  HH:MM:SS")
        assert backend.commands == []


async def test_hostile_text_is_inert_everywhere(
    backend: FakeBackend, tmp_path: object, fixed_clock: Clock
) -> None:
    story = Story(backend.state_directory, practice_plan(HOSTILE), run="1124-hhhh")
    backend.story = story
    story.migrating(HOSTILE)
    story.end("migrate", "failed", reason=HOSTILE)
    story.ask("migrate", "failure", HOSTILE, *FAILURE, shown={"found": [HOSTILE], "help": HOSTILE})
    fixed_clock.at_end_of(story)
    async with on_screen(backend, LARGE) as pilot:
        await shows(pilot, INERT)
        for tab in "123456":
            await pilot.press(tab)
            await pilot.pause()
            assert "\x1b" not in frame(pilot.app)
        for row in (0, 2, 5, 8, 43):
            await pilot.click(offset=(60, row))
        assert pilot.app.is_running
        assert backend.commands == []
