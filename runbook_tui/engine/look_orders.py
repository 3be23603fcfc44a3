"""Makes a look at a step's effect into an order, in a directory of its own, and begins it."""

from __future__ import annotations

import secrets
from pathlib import Path

from runbook_tui.definition.plan import PlanStep
from runbook_tui.engine import jobs, looks
from runbook_tui.engine.judging import LookKind
from runbook_tui.engine.looks import Look
from runbook_tui.engine.ports import WorkerPool
from runbook_tui.engine.values import Values
from state.run_state import AttemptState


def begin(
    pool: WorkerPool,
    root: Path,
    step: PlanStep,
    kind: LookKind,
    attempt: AttemptState,
    values: Values,
) -> Look:
    """Begin a look at what an attempt did. One whose values are missing found out nothing.

    `root` is the state directory. The directory's name is never used twice: what an earlier driver
    left behind there is none of ours.
    """
    name = f"{step.id}.{attempt.number}.{secrets.token_hex(6)}"
    directory = root / "runs" / values.state.run / "looks" / name
    try:
        order = jobs.order(
            jobs.look_of(step, kind, undo=attempt.undo), values, directory, attempt, root
        )
    except jobs.NotReadyError as problem:
        return looks.blind(kind, problem.sentence)
    return looks.begin(pool, order)
