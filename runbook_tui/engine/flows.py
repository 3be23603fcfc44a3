"""What the driver is in the middle of, a flow for each step: all of it can be lost and found again.

A flow lives in the driver's memory only; after a crash the record and the attempt directory give it
back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from runbook_tui.definition.plan import PlanStep
from runbook_tui.engine import looks
from runbook_tui.engine.judging import Seen, Subject
from runbook_tui.engine.looks import Look
from runbook_tui.engine.ports import Order, WorkerPool
from state.run_state import Answered, AttemptState
from state.stores.attempt_dir import AttemptDir
from state.stores.result import Result

FIRM: Final = 30.0
"""Seconds after a time-out, which the worker keeps itself, until the driver stops it too."""


def all_seen(looks: list[Look], pool: WorkerPool) -> list[Seen] | None:
    """Return what all looks found, or None while one is out."""
    found = [look.poll(pool) for look in looks]
    seen = [one for one in found if one is not None]
    return seen if len(seen) == len(looks) else None


@dataclass(slots=True)
class Beginning:
    """A look at what is there before the first attempt; then the intent.

    `again`: the attempt before was still going on when it was last looked at; it must not be now.
    """

    step: PlanStep
    order: Order
    attempt: AttemptState
    looks: list[Look]
    again: bool = False


@dataclass(slots=True)
class Running:
    """A worker is at it. Times are monotonic; `firm_by` is when we stop it ourselves."""

    step: PlanStep
    attempt: AttemptState
    directory: AttemptDir
    begins_by: float
    firm_by: float | None
    look_at: float = 0.0
    overdue: bool = False


def running(step: PlanStep, attempt: AttemptState, directory: AttemptDir) -> Running:
    """Return the flow of a worker that was just started, or found at it."""
    now = time.monotonic()
    firm = None if step.timeout is None else now + step.timeout + FIRM
    return Running(step, attempt, directory, now + looks.PATIENCE, firm)


@dataclass(slots=True)
class Elsewhere:
    """Another machine is at it, or was: its result is awaited, or a person says that it is dead."""

    step: PlanStep
    directory: AttemptDir
    look_at: float = 0.0


@dataclass(slots=True)
class Judging:
    """The attempt is over, and looks say what came of it.

    `again_at`: when to look again at what still goes on; `told`: that it does was noted.
    """

    step: PlanStep
    subject: Subject
    result: Result
    looks: list[Look]
    again_at: float | None = None
    give_up: bool = False
    told: bool = False


@dataclass(slots=True)
class Verifying:
    """A person says it is done; looks may say so too."""

    step: PlanStep
    answer: Answered
    looks: list[Look] = field(default_factory=list)


Flow = Beginning | Running | Elsewhere | Judging | Verifying
