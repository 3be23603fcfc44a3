"""A place that is in use: who is there, being told when it is free, with the form as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.pilot import Pilot

from runbook_tui import exits
from runbook_tui.engine.ports import Operator
from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.backend import BackendError, Driven, Ended, Standing
from runbook_tui.ui.screens.dialogs import Dialog
from runbook_tui.ui.screens.launch import LaunchScreen
from runbook_tui.ui.screens.run import RunScreen
from runbook_tui.ui.waiting import Waiting
from tests.harness.screen import frame, shows, until
from tests.ui.conftest import Clock
from tests.ui.story import FakeBackend, Story

SameFrame = Callable[[str, str], None]
SINCE = "2026-11-24T12:00:51.000000Z"
LEE = Driven(
    "lee@desk",
    "1124-r1b0",
    SINCE,
    "seen 2 s ago",
    place="production",
    runbook="Roll back Practice Hub",
    step="step 3 of 6",
)
KIM = Driven("kim@lab", "1124-x9x9", SINCE, "seen 0 s ago", place="production")
NOW = datetime(2026, 11, 24, 12, 20, 11, tzinfo=UTC)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the operator was called with."""
    words: list[str] = []
    monkeypatch.setattr(RunbookApp, "call_operator", lambda app, said: words.append(said))
    return words


@asynccontextmanager
async def refused(
    backend: FakeBackend, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Pilot[int]]:
    """A start in production, where lee drives: the dialog is open."""
    sentence = "The environment production is in use: lee@desk drives run 1124-r1b0 there."
    backend.finish.put(Ended(exits.IN_USE, sentence, by=LEE))
    backend.stands = Standing(LEE)
    file = Path("deployment.yaml")
    app = RunbookApp(backend, launch=(file, "staging", {"version": "v1.4.0"}))

    def start(
        file: Path, environment: str | None, given: Mapping[str, str], operator: Operator
    ) -> Ended:
        backend.started.append((environment, dict(given)))
        return backend.finish.get()

    backend.start = start  # type: ignore[method-assign]
    async with app.run_test(size=size) as pilot:
        await shows(pilot, "Start Deploy Practice Hub in staging?")
        await pilot.press("d", "y")
        await until(pilot, lambda: isinstance(app.screen, Dialog))
        yield pilot


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_the_dialog_says_who_is_there_and_what_can_be_done(
    backend: FakeBackend,
    fixed_clock: Clock,
    same_frame: SameFrame,
    size: tuple[int, int],
) -> None:
    async with refused(backend, size) as pilot:
        await shows(pilot, "production is in use", "[Watch lee's run]", "step 3 of 6")
        same_frame(f"in-use-{size[0]}x{size[1]}", frame(pilot.app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))


async def test_the_form_is_kept_and_it_is_told_once_when_the_place_is_free(
    backend: FakeBackend, rung: list[str]
) -> None:
    async with refused(backend) as pilot:
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, LaunchScreen))
        await shows(pilot, "production is in use by lee · you will be told", "v1.4.0", "staging")
        backend.stands = Standing(KIM)
        await shows(pilot, "production is in use by kim · you will be told")
        assert rung == []
        backend.stands = Standing(None)
        await shows(pilot, "production is free since")
        await until(pilot, lambda: rung == ["production is free"])
        await shows(pilot, "Start Deploy Practice Hub in staging?")
        await pilot.press("d", "y")
        await until(pilot, lambda: len(backend.started) == 2)
        assert backend.started[0] == backend.started[1]
        assert backend.started[1] == ("staging", {"version": "v1.4.0"})
        backend.finish.put(Ended(0))


async def test_a_form_that_waits_can_be_left(backend: FakeBackend, rung: list[str]) -> None:
    async with refused(backend) as pilot:
        await pilot.press("down", "enter")
        await shows(pilot, "you will be told")
        await pilot.press("q")
        await until(pilot, lambda: pilot.app.return_value == 0)
    assert rung == []


def test_another_who_comes_after_is_named_and_what_was_left_is_said() -> None:
    waiting = Waiting(LEE)
    assert waiting.heard(Standing(KIM), NOW) == ""
    assert waiting.line == "production is in use by kim · you will be told"
    waiting.missed("the journal is away")
    assert "cannot be seen: the journal is away" in waiting.line
    left = "It has an attempt whose outcome is not known. Take it up first: runbook resume x"
    assert "something is unresolved" in waiting.heard(Standing(None, left), NOW)
    assert waiting.over
    assert left in waiting.line
    assert waiting.heard(Standing(None), NOW) == ""
    waiting.missed("too late")
    assert left in waiting.line


async def test_a_journal_that_is_away_is_said_and_looked_at_again(
    backend: FakeBackend, rung: list[str], story: Story
) -> None:
    def away(place: str) -> Standing:
        raise BackendError("the journal is away", "wait")

    stands, backend.standing = backend.standing, away  # type: ignore[method-assign]
    async with refused(backend) as pilot:
        await pilot.press("down", "enter")
        await shows(pilot, "cannot be seen: the journal is away")
        backend.stands = Standing(None)
        backend.standing = stands  # type: ignore[method-assign]
        await until(pilot, lambda: rung == ["production is free"])


async def test_a_run_whose_place_another_run_has_is_not_taken_for_driven(
    backend: FakeBackend, story: Story
) -> None:
    story.migrating()
    app = RunbookApp(backend)
    backend.finish.put(Ended(exits.IN_USE, "production is in use.", by=LEE))
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(RunScreen(backend, lambda port: backend.finish.get(), run=story.run))
        await shows(pilot, "This place is in use", "(1124-r1b0)", "[Watch lee's run]")
        assert "Tell me" not in frame(app)
