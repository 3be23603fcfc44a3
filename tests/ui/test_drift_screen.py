"""Coming back to a runbook that has changed: what differs is shown, and only `d` takes it on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from runbook_tui import exits
from runbook_tui.engine.ports import Answer
from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.engine_backend import EngineBackend
from state.events import QuestionAsked, RunResumed
from state.json_value import Json
from state.stores.location import Location
from tests.harness.screen import frame, shows, until
from tests.harness.stage import ScriptedOperator
from tests.ui.conftest import Clock
from tests.ui.story import FakeBackend, Story
from tests.ui.told import on_screen

SameFrame = Callable[[str, str], None]
_LINES: list[Json] = [
    "changed  announce",
    "         to: #releases → #hub",
    "added    purge",
    "changed  tag (has begun: it keeps what it began with)",
]


def _come_back(backend: FakeBackend, story: Story, clock: Clock) -> None:
    story.migrating()
    before = backend.recorded(story.run)
    story.end("migrate", proof="machine").wait(492)
    story.tell(RunResumed(492.0, "0.2.0", ("announce", "purge", "tag")))
    text = "The runbook has changed since the run began. Which one goes on?"
    story.tell(QuestionAsked("q9", None, "drift", text, ("keep", "adopt"), None, {"lines": _LINES}))
    backend.recorded = lambda run: before  # type: ignore[method-assign]  # what was there at first
    clock.at_end_of(story)


async def test_what_differs_is_shown_and_bare_keys_take_nothing_on(
    backend: FakeBackend, story: Story, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    _come_back(backend, story, fixed_clock)
    async with on_screen(backend) as pilot:
        await shows(pilot, "While you were away", "changed  announce", "Which one goes on?")
        await shows(pilot, "goes on with 0.2.0.")
        same_frame("drift-80x24", frame(pilot.app))
        await pilot.press("pagedown")
        await shows(pilot, "added    purge", "changed  tag", "While you were away")
        await pilot.press("f", "y", "enter")
        await pilot.press("d", "enter")  # what is marked decides nothing
        assert backend.commands == []
        await pilot.press("d", "f")
        await shows(pilot, "Take the change on? It counts for every step")
        await pilot.press("enter")
        assert backend.commands == []
        await pilot.press("d", "f", "y")
        await until(pilot, lambda: backend.commands)
        assert backend.commands == [Answer("q9", "adopt", "person")]


async def test_the_safe_answer_keeps_the_original(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    _come_back(backend, story, fixed_clock)
    async with on_screen(backend) as pilot:
        await shows(pilot, "y Keep what it began with")
        await pilot.press("d", "y")
        await until(pilot, lambda: backend.commands)
        assert backend.commands == [Answer("q9", "keep", "person")]


_MAIN = """\
runbook: Two halves
phases:
  - phase: All
    steps:
      - {id: first, name: First half, run: 'test -e light'}
      - {id: part, name: Second half, include: part.yaml}
"""
_PART = "runbook: Part\nphases: [{phase: P, steps: [{id: old, name: Old way, run: 'true'}]}]\n"


async def test_a_change_taken_on_by_keys_on_the_real_engine(tmp_path: Path) -> None:
    """The checklist folds the included steps; after the decision it has those of the new file."""
    (tmp_path / "main.yaml").write_text(_MAIN)
    (tmp_path / "part.yaml").write_text(_PART)
    backend = EngineBackend(
        Location(tmp_path / "state"), "dana", lambda source: source.value, directory=tmp_path
    )
    try:
        ended = backend.start(tmp_path / "main.yaml", None, {}, ScriptedOperator({}))
        assert ended.code == exits.FAILED
        (tmp_path / "part.yaml").write_text(_PART.replace("old", "new").replace("Old", "New"))
        (tmp_path / "light").touch()
        app = RunbookApp(backend, resume=ended.run)
        async with app.run_test(size=(80, 24)) as pilot:
            await shows(pilot, "Which one goes on?", "added    part/new", "removed  part/old")
            await shows(pilot, "Second half", "Old way")
            await pilot.press("d", "f", "y")
            await shows(pilot, "First half failed. What now?", "New way")
            await pilot.press("d", "r")
            await shows(pilot, "Succeeded", "2 of 2")
            await pilot.press("q")
            await until(pilot, lambda: app.return_value == exits.DONE)
        state = backend.recorded(ended.run).state
        assert {id_: one.status.value for id_, one in state.steps.items()} == {
            "first": "succeeded",
            "part": "succeeded",
            "part/new": "succeeded",
        }
    finally:
        backend.close()
