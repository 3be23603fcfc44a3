"""What is known of a run's steps without a look at each is what a look at each would find."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from hypothesis import given

from state.events import Record
from state.fold import apply
from state.run_state import RunState, StepState
from state.status import StepStatus
from state.steps import SETTLED, Steps
from tests.state.legal_runs import runs
from tests.state.test_fold import FAST

PLAIN = (StepStatus.PENDING, StepStatus.SUCCEEDED, StepStatus.SKIPPED)


def step(id_: str, status: StepStatus = StepStatus.PENDING) -> StepState:
    return StepState(id_, id_.upper(), "All", "run", status=status)


def agrees(steps: Steps) -> None:
    """Compare with a look at each."""
    assert steps.settled == len([*takewhile(lambda one: one.status in SETTLED, steps.values())])
    assert steps.stirred() == [
        one
        for one in steps.values()
        if one.status not in PLAIN or one.answer is not None or one.open_attempt is not None
    ]


@FAST
@given(runs())
def test_it_is_so_in_every_state_of_a_run(records: Sequence[Record]) -> None:
    state: RunState | None = None
    for record in records:
        state = apply(state, record)
        agrees(state.steps)


def test_what_was_settled_may_become_unsettled() -> None:
    done = {id_: step(id_, StepStatus.SUCCEEDED) for id_ in "abc"}
    before = Steps({**done, "d": step("d")})
    assert before.settled == 3
    undone = before.updated({"b": step("b", StepStatus.UNDONE)})
    assert (undone.settled, [one.id for one in undone.stirred()]) == (1, ["b"])
    agrees(undone)
    again = undone.updated({"b": step("b", StepStatus.SKIPPED), "d": step("d", StepStatus.SKIPPED)})
    assert (again.settled, again.stirred()) == (4, [])
    assert before.settled == 3


def test_new_steps_come_last() -> None:
    steps = Steps({"a": step("a", StepStatus.SKIPPED)}).updated({"b": step("b", StepStatus.FAILED)})
    agrees(steps)
    assert [one.id for one in steps.stirred()] == ["b"]
