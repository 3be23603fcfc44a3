"""How long steps usually take, learned from runs that went well."""

from __future__ import annotations

from dataclasses import replace

from runbook_tui.engine.usual import RUNS, Usual, learn, taught
from state.events import AttemptEnded, NoteAdded, RunEnded, StepJudged
from state.run_state import RunState
from tests.harness.plans import Story, environment, group, plan, step

PLAN = plan(step("tag"), group("both", step("a", usually=7.0), step("b")), home=environment("prod"))

JUDGED = StepJudged("both", "succeeded")


def ran(seconds: int, status: str = "succeeded") -> RunState:
    """A run whose first step took so many seconds, each of the others one."""
    story = Story(PLAN).intended("tag")
    for _ in range(seconds - 1):
        story.tell(NoteAdded("it takes its time"))
    story.ended("tag").tried("a").tried("b")
    return story.tell(JUDGED, RunEnded(status)).state


def test_the_median_of_the_latest_runs_counts() -> None:
    states = [ran(seconds) for seconds in (2, 30, 4, 3, 5)] + [ran(60)]
    assert len(states) == RUNS + 1
    usual = learn("Test", "prod", states)
    assert dict(usual.steps) == {"tag": 4.0, "a": 1.0, "b": 1.0}
    assert usual.run == 11.0


def test_other_runs_and_failed_ones_teach_nothing() -> None:
    failed = ran(9, "failed")
    other = replace(ran(9), started=replace(ran(9).started, runbook="Another"))
    elsewhere = replace(ran(9), started=replace(ran(9).started, environment="staging"))
    back = replace(ran(9), started=replace(ran(9).started, base="1123-k7f3"))
    assert learn("Test", "prod", [failed, other, elsewhere, back]) == Usual()


def test_what_was_found_done_says_nothing_of_its_time() -> None:
    story = Story(PLAN).intended("tag")
    story.tell(AttemptEnded("tag", 1, "succeeded", adopted=True, effect="done"))
    story.tried("a").tried("b").tell(JUDGED, RunEnded("succeeded"))
    assert set(learn("Test", "prod", [story.state]).steps) == {"a", "b"}


def test_the_author_is_believed_first() -> None:
    told = taught(PLAN, Usual(steps={"tag": 4.0, "a": 1.0}))
    assert [one.usually for one in told.steps()] == [4.0, 7.0, None]
    assert [one.id for one in told.groups()] == ["both"]
