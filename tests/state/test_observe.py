"""What is running and what was interrupted, by the record and by who is alive."""

from __future__ import annotations

import pytest

from state.events import AttemptIntended, QuestionAsked, RunEnded, RunLeft
from state.observe import Seen, observe
from state.run_state import RunState
from state.status import RunStatus, StepStatus
from tests.harness.records import folded, started

TRY = AttemptIntended("a", 1, "run", "a.1", "m", "b")
RUNNING = folded(started("a"), TRY)
LEFT = folded(started("a"), TRY, RunLeft("closed the screen"))
ASKING = folded(started("a"), QuestionAsked("q1", "a", "confirm", "Deploy?", ("y",)))
FAILED = folded(started("a"), RunEnded("failed"))
DONE = folded(started("a"), RunEnded("aborted"))


@pytest.mark.parametrize(
    ("state", "driver", "status"),
    [
        (RUNNING, True, RunStatus.RUNNING),
        (RUNNING, False, RunStatus.INTERRUPTED),
        (LEFT, False, RunStatus.WAITING),
        (ASKING, True, RunStatus.WAITING),
        (ASKING, False, RunStatus.WAITING),
        (FAILED, False, RunStatus.FAILED),
        (DONE, False, RunStatus.ABORTED),
    ],
)
def test_the_run(state: RunState, driver: bool, status: RunStatus) -> None:
    assert observe(state, Seen(driver=driver)).status is status


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        (Seen(driver=True, attempts={"a": False}), StepStatus.RUNNING),
        (Seen(driver=False, attempts={"a": True}), StepStatus.RUNNING),
        (Seen(driver=False, attempts={"a": False}), StepStatus.INTERRUPTED),
        (Seen(driver=False), StepStatus.RUNNING),
    ],
)
def test_a_step_with_an_open_attempt(seen: Seen, status: StepStatus) -> None:
    assert observe(RUNNING, seen).steps == {"a": status}
    assert observe(ASKING, seen).steps == {}
