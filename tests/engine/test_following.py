"""When looking on ends: not between two drivers."""

from __future__ import annotations

import pytest

from runbook_tui.engine import following
from runbook_tui.engine.following import Parted, Seen
from state.events import RunLeft
from state.holders import Held
from tests.harness.plans import Story, plan, step

DRIVEN = Held("1123-k7f3", None)


@pytest.mark.parametrize(
    ("left", "patience"), [(False, following.AFTER_SILENCE), (True, following.AFTER_LEAVING)]
)
def test_another_driver_may_follow(left: bool, patience: float) -> None:
    now = 0.0
    story = Story(plan(step("a")))
    if left:
        story.tell(RunLeft("bye"))
    nothing = Seen(story.state, (), None)
    parted = Parted(lambda: now)
    assert not parted.by(Seen(story.state, tuple(story.records), DRIVEN))
    now += patience
    assert not parted.by(nothing)
    assert not parted.by(Seen(story.state, (), DRIVEN)), "somebody followed"
    now += patience + 1
    assert parted.by(nothing)


def test_where_nobody_drives_from_the_start_there_is_nothing_to_wait_for() -> None:
    story = Story(plan(step("a")))
    parted = Parted()
    assert not parted.by(Seen(story.state, tuple(story.records), None)), "it is told first"
    assert parted.by(Seen(story.state, (), None))
