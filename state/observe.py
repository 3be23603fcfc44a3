"""What is running and what was interrupted: the recorded state, seen with who is alive now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from state.run_state import RunState
from state.status import RunStatus, StepStatus


@dataclass(frozen=True, slots=True)
class Seen:
    """Who is alive. `attempts` maps a step with an open attempt to whether that attempt lives.

    A step that is missing there could not be judged from this machine and counts as running.
    """

    driver: bool
    attempts: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observed:
    """The run's status as it is now, and that of each step whose attempt is open."""

    status: RunStatus
    steps: Mapping[str, StepStatus]


def observe(state: RunState, seen: Seen) -> Observed:
    """Return how the run and its open attempts stand.

    With a driver alive the record is the truth. Without one nothing new begins: a run with an open
    question, or left on purpose, waits; any other that was running is interrupted. A step whose
    attempt lives goes on regardless; one whose attempt is dead is interrupted.
    """
    steps = {
        step.id: StepStatus.RUNNING
        if seen.driver or seen.attempts.get(step.id, True)
        else StepStatus.INTERRUPTED
        for step, _ in state.open_attempts()
    }
    return Observed(_run_status(state, seen), steps)


def _run_status(state: RunState, seen: Seen) -> RunStatus:
    if seen.driver or state.status is not RunStatus.RUNNING:
        return state.status
    return RunStatus.WAITING if state.left is not None else RunStatus.INTERRUPTED
