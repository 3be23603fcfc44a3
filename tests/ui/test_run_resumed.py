"""The Run screen on coming back: what it says happened meanwhile."""

from __future__ import annotations

from dataclasses import replace

from state.events import RunResumed
from tests.harness.screen import frame, shows, until
from tests.ui.conftest import Clock
from tests.ui.story import FakeBackend, Story
from tests.ui.told import (
    SameFrame,
    on_screen,
)


async def test_coming_back_says_what_happened(
    backend: FakeBackend, story: Story, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    story.migrating()
    fixed_clock.at_end_of(story)
    before = backend.recorded(story.run)
    story.wait(492).tell(RunResumed(492.0, "0.1.0"))
    story.end("migrate", adopted=True, proof="machine", reason="found by its result file")
    backend.recorded = lambda run: before  # type: ignore[method-assign]  # what was there at first
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "While you were away, 8:20", "Nothing was run twice.")
        await shows(pilot, f"Events 1–{len(story.records)} verified: chain is whole.")
        same_frame("resume-80x24", frame(pilot.app))
        await pilot.press("j")
        await until(pilot, lambda: "While you were away" not in frame(pilot.app))


async def test_what_is_found_while_one_reads_is_said_there_too(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    story.migrating()
    before = backend.recorded(story.run)
    story.wait(492).tell(RunResumed(492.0, "0.1.0"))
    backend.recorded = lambda run: before  # type: ignore[method-assign]  # what was there at first
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "While you were away, 8:20", "Run database migrations    goes on")
        story.wait(1).end("migrate", adopted=True, proof="machine", reason="found done: looked")
        backend.publish()
        await shows(pilot, "While you were away, 8:20", "found done, by looking")


async def test_coming_back_to_a_journal_that_was_changed_says_so(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    story.migrating()
    before = backend.recorded(story.run)
    story.wait(492).tell(RunResumed(492.0, "0.1.0"))
    story.records[3] = replace(story.records[3], operator="somebody")
    backend.recorded = lambda run: before  # type: ignore[method-assign]  # what was there at first
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "the chain is NOT whole.", "Event 4", f"runbook audit {story.run}")
