"""The Run screen by keys: what decides, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from runbook_tui.engine.ports import AddNote, Answer, Hold, Leave, StopStep
from runbook_tui.ui import clock, decisions, keys
from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.backend import Ended
from runbook_tui.ui.screens.dialogs import Dialog
from runbook_tui.ui.screens.rollback import RollbackScreen
from runbook_tui.ui.screens.run import RunScreen
from runbook_tui.ui.screens.run_navigation import RunNavigation
from runbook_tui.ui.shell_here import Shell
from state.events import QuestionAnswered
from tests.harness.screen import frame, shows, until
from tests.ui.conftest import Clock
from tests.ui.story import FakeBackend, Story
from tests.ui.told import (
    SameFrame,
    ask_rollback,
    failed,
    manual,
    on_screen,
    parallel,
    typed,
)


@pytest.mark.parametrize("tell", [Story.migrating, failed, typed, manual], ids=lambda t: t.__name__)
async def test_letters_outside_the_bar_do_nothing_but_say_so(
    backend: FakeBackend, story: Story, fixed_clock: Clock, tell: Callable[[Story], Story]
) -> None:
    tell(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, " so far")
        for places in range(3):
            await pilot.press(*decisions.ACTING, "enter", "delete", "backspace")
            await pilot.press("b")
            await shows(pilot, "b is roll back; it works after d")
            await pilot.press("tab", *["2"] * (places == 1))
        assert backend.commands == []
        assert isinstance(pilot.app.screen, RunScreen)


@pytest.mark.parametrize(
    "tell", [Story.migrating, failed, typed, manual, parallel], ids=lambda t: t.__name__
)
async def test_enter_on_a_fresh_question_changes_nothing(
    backend: FakeBackend, story: Story, fixed_clock: Clock, tell: Callable[[Story], Story]
) -> None:
    tell(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, " so far")
        await pilot.press("d", "enter", "enter", "enter")
        await pilot.press("escape", "escape", "q", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        assert backend.commands == []


def test_letters_that_look_and_letters_that_act_are_disjoint() -> None:
    acting = set(decisions.ACTING)
    looking = {key for line in keys.LOOK for cell in (line[0], line[2]) for key in cell.split()}
    bound = {
        key
        for binding in (*RunNavigation.BINDINGS, *RunScreen.BINDINGS, *RunbookApp.BINDINGS)
        for key in getattr(binding, "key", "").split(",")
    }
    assert not acting & looking
    assert not acting & bound
    assert {key for key, _ in keys.ACT} <= acting


async def test_failure_to_rollback_is_d_b_name_enter(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    failed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "What now?")
        await pilot.press("d", "b")
        await until(pilot, lambda: backend.commands)
        question = str(story.records[-1].data["id"])
        assert backend.commands == [Answer(question, "rollback", "person")]
        story.tell(QuestionAnswered(question, "rollback", "person"))
        ask_rollback(story)
        backend.publish()
        await until(pilot, lambda: isinstance(pilot.app.screen, RollbackScreen))
        await shows(pilot, "Will be undone", "CANNOT BE UNDONE", "it was sent")
        await pilot.press(*"production", "enter")
        await until(pilot, lambda: len(backend.commands) == 2)
        answer = backend.commands[1]
        assert isinstance(answer, Answer)
        assert (answer.choice, answer.fields) == ("rollback", {"typed": "production"})


async def test_a_shell_is_noted_and_decides_nothing(
    backend: FakeBackend, story: Story, fixed_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Shell] = []

    def open_shell(_: RunbookApp, shell: Shell, step: str) -> str:
        opened.append(shell)
        return f"shell at {step} ended"

    monkeypatch.setattr(RunbookApp, "open_shell", open_shell)
    failed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await pilot.press("o")
        await shows(pilot, "o is open a shell; it works after d")
        await pilot.press("d", "o")
        await until(pilot, lambda: len(backend.commands) == 2)
        assert [shell.variables["RUNBOOK_STEP"] for shell in opened] == ["migrate"]
        name = "Run database migrations"
        assert backend.commands == [
            AddNote(f"shell opened at {name}", "migrate"),
            AddNote(f"shell at {name} ended", "migrate"),
        ]
        await shows(pilot, f"{name} failed. What now?")


async def test_a_manual_item_is_recorded_with_its_evidence(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    manual(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "done?")
        await pilot.press("d")
        await shows(pilot, "What you checked", "next field")
        await pilot.press("escape", "y")
        await shows(pilot, "What you checked is missing")
        await pilot.press("escape", "d", *"read y", "tab", *"http", "escape", "y")
        await shows(pilot, "Link: must match")
        assert backend.commands == []


async def test_evidence_goes_with_the_answer(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    manual(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "done?")
        await pilot.press("d")
        await shows(pilot, "next field")
        await pilot.press(*"all read", "tab", "tab", "y")
        await until(pilot, lambda: backend.commands)
        answer = backend.commands[0]
        assert isinstance(answer, Answer)
        assert (answer.choice, dict(answer.fields)) == ("done", {"seen": "all read"})


async def test_menu_pauses_and_stops_with_a_reason(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    story.migrating()
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "waits for a lock")
        await pilot.press("d")
        await shows(pilot, "[Keep going]", "p Pause after it", "x Stop Run database")
        await pilot.press("p")
        await until(pilot, lambda: backend.commands == [Hold()])
        await shows(pilot, "pauses after it", "─ Now ─")
        await pilot.press("d", "x", "enter")
        await shows(pilot, "Why stop it is missing")
        await pilot.press(*"wrong db", "enter")
        await until(pilot, lambda: backend.commands[1:] == [StopStep("migrate", "wrong db")])


async def test_leaving_asks_and_the_leaving_key_confirms_nothing(
    backend: FakeBackend, story: Story, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    story.migrating()
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "waits for a lock")
        for key in ("q", "ctrl+q", "ctrl+c"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(pilot.app.screen, Dialog))
            await shows(pilot, "[Stay]")
            await pilot.press("q")
            await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        assert backend.commands == []
        await pilot.press("q")
        await shows(pilot, "[Stay]", "Stop the step first")
        same_frame("leave-80x24", frame(pilot.app))
        await pilot.press("y")
        await until(pilot, lambda: backend.commands)
        assert backend.commands == [Leave("dana left")]
        await until(pilot, lambda: pilot.app.return_value == 3)
        app = pilot.app
        assert isinstance(app, RunbookApp)
        # What the terminal still says when the screens are gone.
        assert ": waits for a decision. Go on with: runbook resume" in app.last_words


async def test_why_nothing_goes_on_stays_there(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    """It was drawn over a second later, by how to take the run up again: which is no help."""
    story.migrating()
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "waits for a lock")
        backend.finish.put(Ended(6, "The disk is full.", "Free some space there, then resume."))
        await shows(pilot, "This cannot go on", "The disk is full.")
        fixed_clock.now += timedelta(seconds=1)
        await shows(pilot, clock.now_utc().astimezone().strftime("%H:%M:%S"))
        await shows(pilot, "This cannot go on", "The disk is full.", "Free some space")
        assert "Not driven" not in frame(pilot.app)


async def test_rollback_frame(
    backend: FakeBackend, story: Story, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    story.migrating().end("migrate", proof="machine")
    ask_rollback(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "Roll back production?")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, RollbackScreen))
        await shows(pilot, "Type  PRODUCTION")
        same_frame("rollback-80x24", frame(pilot.app))
        await pilot.press("f1")
        await shows(pilot, "Keys on this screen", "y  roll back")
        await pilot.press("escape", "tab")
        await shows(pilot, "tab answer", "esc not now")
        await pilot.press("tab")
        await shows(pilot, "typing:")
        await pilot.press("enter", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        assert backend.commands == []
