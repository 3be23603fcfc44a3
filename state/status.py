"""The state machines of runs, steps and attempts, as data.

A status changes only along the tables at the end of this module; `fold` refuses every other
change. The words are part of the command line's contract (`show --json`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class RunStatus(StrEnum):
    """Where a run stands. `interrupted` is never recorded: it is seen, when no driver is alive."""

    RUNNING = "running"
    WAITING = "waiting"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled_back"


class StepStatus(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    INTERRUPTED = "interrupted"
    UNDONE = "undone"


class AttemptStatus(StrEnum):
    """How one try at a step stands or ended."""

    INTENDED = "intended"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    UNKNOWN = "unknown"
    VOID = "void"


class Verdict(StrEnum):
    """What a look at an effect found, in the order of section "Checks" of the format.

    When two looks disagree the worse one counts: running, unknown, partial, absent, present.
    """

    RUNNING = "running"
    UNKNOWN = "unknown"
    PARTIAL = "partial"
    ABSENT = "absent"
    PRESENT = "present"

    @staticmethod
    def worse(first: Verdict, second: Verdict) -> Verdict:
        """Return the verdict that counts when both were found."""
        order = list(Verdict)
        return min(first, second, key=order.index)


class Proof(StrEnum):
    """Who vouches for a step that is done."""

    MACHINE = "machine"
    PERSON = "person"


FINAL_RUN = frozenset({RunStatus.SUCCEEDED, RunStatus.ABORTED, RunStatus.ROLLED_BACK})
"""A run in one of these never goes on; an aborted one may still be rolled back."""

DONE_STEP = frozenset({StepStatus.SUCCEEDED, StepStatus.SKIPPED, StepStatus.UNDONE})

RUN_TRANSITIONS: Mapping[RunStatus, frozenset[RunStatus]] = {
    RunStatus.RUNNING: frozenset(
        {RunStatus.WAITING, RunStatus.FAILED, RunStatus.SUCCEEDED, RunStatus.ABORTED}
        | {RunStatus.ROLLED_BACK}
    ),
    RunStatus.WAITING: frozenset(
        {RunStatus.RUNNING, RunStatus.FAILED, RunStatus.SUCCEEDED, RunStatus.ABORTED}
        | {RunStatus.ROLLED_BACK}
    ),
    RunStatus.FAILED: frozenset(
        {RunStatus.RUNNING, RunStatus.WAITING, RunStatus.ABORTED, RunStatus.ROLLED_BACK}
    ),
    RunStatus.SUCCEEDED: frozenset({RunStatus.ROLLED_BACK}),
    RunStatus.ABORTED: frozenset({RunStatus.ROLLED_BACK}),
    RunStatus.ROLLED_BACK: frozenset(),
}

STEP_TRANSITIONS: Mapping[StepStatus, frozenset[StepStatus]] = {
    StepStatus.PENDING: frozenset(
        {
            StepStatus.WAITING,
            StepStatus.RUNNING,
            StepStatus.SKIPPED,
            StepStatus.FAILED,
            StepStatus.SUCCEEDED,
            StepStatus.UNKNOWN,
        }
    ),
    StepStatus.WAITING: frozenset(
        {
            StepStatus.RUNNING,
            StepStatus.SUCCEEDED,
            StepStatus.FAILED,
            StepStatus.SKIPPED,
            StepStatus.UNKNOWN,
            StepStatus.PENDING,
            StepStatus.UNDONE,
        }
    ),
    StepStatus.RUNNING: frozenset(
        {
            StepStatus.SUCCEEDED,
            StepStatus.FAILED,
            StepStatus.UNKNOWN,
            StepStatus.WAITING,
            StepStatus.PENDING,
            StepStatus.SKIPPED,
            StepStatus.UNDONE,
        }
    ),
    StepStatus.FAILED: frozenset(
        {
            StepStatus.RUNNING,
            StepStatus.WAITING,
            StepStatus.SUCCEEDED,
            StepStatus.SKIPPED,
            StepStatus.UNDONE,
            StepStatus.UNKNOWN,
        }
    ),
    StepStatus.UNKNOWN: frozenset(
        {
            StepStatus.RUNNING,
            StepStatus.WAITING,
            StepStatus.SUCCEEDED,
            StepStatus.FAILED,
            StepStatus.SKIPPED,
            StepStatus.UNDONE,
        }
    ),
    StepStatus.SUCCEEDED: frozenset({StepStatus.UNDONE}),
    StepStatus.SKIPPED: frozenset(),
    StepStatus.UNDONE: frozenset(
        {StepStatus.RUNNING, StepStatus.WAITING, StepStatus.SKIPPED, StepStatus.FAILED}
    ),
}
