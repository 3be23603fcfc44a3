"""The Run screen as it is drawn: at each moment of a run, at each size."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runbook_tui.ui.screens.run import RunScreen
from tests.harness.screen import frame, shows, until
from tests.ui.conftest import Clock
from tests.ui.story import FakeBackend, Story
from tests.ui.told import (
    LARGE,
    SMALL,
    SameFrame,
    failed,
    half_done,
    manual,
    monitoring,
    nobody_knows,
    on_screen,
    parallel,
    typed,
)

SCENES: dict[str, tuple[Callable[[Story], Story], tuple[str, ...], tuple[str, ...]]] = {
    "run": (Story.migrating, (), ("waits for a lock", "4 lines · follows the end")),
    "failure": (failed, ("d",), ("[Leave it so", "Kim Ode", "canceling statement")),
    "half-done": (half_done, ("d",), ("[Leave it so", "not done  app-2", "r Go on: only app-2")),
    "unknown": (
        nobody_knows,
        ("d",),
        ("[Leave it so", "Nothing can tell whether", "may happen twice"),
    ),
    "typed": (typed, ("d",), ("Type  PRODUCTION", "esc  Not yet", "Replaces")),
    "manual": (manual, ("d",), ("What you checked", "to the choices")),
    "parallel": (
        parallel,
        ("d", "escape"),
        ("Run type checking failed", "exit code 2", "error TS2322"),
    ),
    "monitor": (monitoring, (), ("p95", "445 ms", "OVER, 2 of 3", "cpu@app-1")),
    "notes": (failed, ("m",), ("New note", "to Save")),
    "plan": (Story.migrating, ("2",), ("Each try", "ends at 5:00")),
    "help-tab": (Story.migrating, ("6",), ("Author's help", "Call")),
    "evidence": (typed, ("3",), ("No evidence yet",)),
}


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x45"])
async def test_frames(
    backend: FakeBackend,
    story: Story,
    fixed_clock: Clock,
    same_frame: SameFrame,
    name: str,
    size: tuple[int, int],
) -> None:
    tell, pressed, expected = SCENES[name]
    tell(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend, size) as pilot:
        await shows(pilot, " so far", "Steps")
        await pilot.press(*pressed)
        await shows(pilot, *expected)
        same_frame(f"{name}-{size[0]}x{size[1]}", frame(pilot.app))


async def test_frame_in_ascii(
    backend: FakeBackend, story: Story, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    failed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend, ascii_only=True) as pilot:
        await pilot.press("d")
        await shows(pilot, "[Leave it so", "canceling")
        assert frame(pilot.app).isascii()
        same_frame("failure-ascii", frame(pilot.app))


async def test_without_colour_marks_differ_by_style(
    backend: FakeBackend, story: Story, monkeypatch: pytest.MonkeyPatch, fixed_clock: Clock
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    failed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "What now?", "✗")
        strips = pilot.app.screen._compositor.render_strips()
        marks = [part for strip in strips for part in strip if part.text == "✗"]
        assert marks
        assert all(part.style is not None and part.style.reverse for part in marks)
        colours = [
            c for strip in strips for part in strip if part.style for c in (part.style.color,)
        ]
        assert all(c is None or c.triplet is None or len(set(c.triplet)) == 1 for c in colours)


async def test_one_column_below_80(backend: FakeBackend, story: Story, fixed_clock: Clock) -> None:
    story.migrating()
    fixed_clock.at_end_of(story)
    async with on_screen(backend, (64, 20)) as pilot:
        await shows(pilot, "Run database migrations", "─ Now ─")
        assert "│" not in frame(pilot.app)
        await pilot.press("tab")
        await shows(pilot, "waits for a lock", "[1 Log]")
        await pilot.press("escape")
        await until(pilot, lambda: "waits for a lock" not in frame(pilot.app))


async def test_too_small_goes_when_there_is_room(
    backend: FakeBackend, story: Story, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    story.migrating()
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "waits for a lock")
        await pilot.resize_terminal(52, 14)
        await shows(pilot, "Too small: 52×14")
        same_frame("small-52x14", frame(pilot.app))
        await pilot.resize_terminal(80, 24)
        await shows(pilot, "waits for a lock")


async def test_only_the_clock_is_painted_while_nothing_happens(
    backend: FakeBackend, story: Story, fixed_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "begin in production?")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        painted: list[str] = []
        for widget in (screen.checklist, screen.pane.title, screen.keys, screen.pane.tabs):
            monkeypatch.setattr(widget, "refresh", lambda *a, w=widget, **k: painted.append(w))
        ticks = 0

        def ticked() -> bool:
            nonlocal ticks
            screen._tick()
            ticks += 1
            return ticks > 20

        await until(pilot, ticked)
        assert painted == []
