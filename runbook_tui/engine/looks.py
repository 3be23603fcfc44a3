"""Looks at a step's effect, each by a worker of its own that changes nothing.

A look has a time limit: one that does not answer is given up as unknown and its worker stopped, so
that a dead backend cannot hold a run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from runbook_tui.actions.shared import durations
from runbook_tui.engine.judging import LookKind, Seen
from runbook_tui.engine.ports import Order, WorkerPool, WorkerStartError
from state.json_value import Json
from state.status import Verdict
from state.stores.attempt_dir import AttemptDir
from state.stores.result import Corrupt, Result, load_result

LIMIT = 120.0
"""Seconds for a look, beside what its `until` asks for."""

PATIENCE = 30.0
"""Seconds for a started worker to begin; only then somebody else may declare it void."""


@dataclass(slots=True)
class Look:
    """One look that is being had. `ends` and `begins_by` are monotonic times."""

    kind: LookKind
    directory: AttemptDir
    ends: float
    begins_by: float
    seen: Seen | None = None

    def poll(self, pool: WorkerPool) -> Seen | None:
        """Return what was found, or None while it is not known."""
        if self.seen is None:
            self.seen = self._poll(pool)
        return self.seen

    def _poll(self, pool: WorkerPool) -> Seen | None:
        result = self.directory.read_result()
        if isinstance(result, Result):
            return seen(self.kind, result)
        if isinstance(result, Corrupt):
            return Seen(self.kind, Verdict.UNKNOWN, result.reason)
        if not self.directory.exists():
            return Seen(self.kind, Verdict.UNKNOWN, "the directory of the look was removed")
        now = time.monotonic()
        if now > self.ends:
            self.directory.claim_void()
            try:
                pool.stop(str(self.directory.path), "the look took too long")
            except WorkerStartError as problem:
                said = f"the look did not answer in time, and goes on: {problem.sentence}"
                return Seen(self.kind, Verdict.UNKNOWN, said)
            return Seen(self.kind, Verdict.UNKNOWN, "the look did not answer in time")
        if self.directory.claimed() is None:
            if now > self.begins_by and self.directory.claim_void():
                return Seen(self.kind, Verdict.UNKNOWN, "the look could not be begun")
            return None
        if self.directory.live().alive or self.directory.read_result() is not None:
            return None
        return Seen(self.kind, Verdict.UNKNOWN, "the look ended without an answer")


def begin(pool: WorkerPool, order: Order) -> Look:
    """Start a look; one that cannot be started is a look that found out nothing."""
    kind: LookKind = "verify" if order.mode == "verify" else "probe"
    directory = AttemptDir(Path(order.job.directory))
    now = time.monotonic()
    until = order.job.options.get("until")
    asked = durations.seconds(until["for"]) if isinstance(until, Mapping) else 0.0
    look = Look(kind, directory, now + LIMIT + asked, now + PATIENCE)
    try:
        directory.create()
        pool.start(order)
    except (WorkerStartError, OSError) as problem:
        look.seen = Seen(kind, Verdict.UNKNOWN, f"the look could not be begun: {problem}")
    return look


def blind(kind: LookKind, why: str) -> Look:
    """Return a look that could not even be ordered."""
    return Look(kind, AttemptDir(Path()), 0.0, 0.0, Seen(kind, Verdict.UNKNOWN, why))


def seen(kind: LookKind, result: Result) -> Seen:
    """Return what a look's worker left, in words."""
    verdict = Verdict(result.verdict) if result.verdict else Verdict.UNKNOWN
    return Seen(
        kind,
        verdict,
        result.reason or verdict.value,
        result.evidence,
        _lines(result.detail.get("found")),
        _lines(result.detail.get("missing")),
        _lines(result.detail.get("unclear")),
        _lines(result.detail.get("left")),
        result.outputs,
        result.by_host,
        _ended(result.detail.get("ended")),
    )


def _ended(value: Json) -> Result | None:
    """Return how the act itself ended, as the look's worker wrote it down."""
    if not isinstance(value, Mapping):
        return None
    found = load_result(json.dumps(value).encode())
    return found if isinstance(found, Result) else None


def _lines(value: Json) -> tuple[str, ...]:
    return tuple(str(line) for line in cast("list[Json]", value)) if isinstance(value, list) else ()
