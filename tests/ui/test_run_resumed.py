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
    evidence = ({"kind": "migrations", "summary": "0009_labels.sql is applied", "data": {}},)
    reason = "found by its result file"
    story.end("migrate", adopted=True, proof="machine", reason=reason, evidence=evidence)
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


async def test_a_step_that_ended_meanwhile_is_said_to_be_known_by_its_result(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    story.migrating()
    before = backend.recorded(story.run)
    summaries = ["exit code 0", *(f"000{number}.sql is applied" for number in range(5))]
    evidence = tuple({"kind": "x", "summary": summary, "data": {}} for summary in summaries)
    story.wait(492).tell(RunResumed(492.0, "0.1.0"))
    story.end("migrate", exit_code=0, proof="machine", evidence=evidence)
    backend.recorded = lambda run: before  # type: ignore[method-assign]  # what was there at first
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "found by its result file; exit 0", "0002.sql is applied")
        await shows(pilot, "and 2 more: its evidence is under 3")
        assert "0003.sql" not in frame(pilot.app)
        assert "exit code 0" not in frame(pilot.app)


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
