"""Looks that belong to no run: their files lie in a directory that goes when they are over."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from runbook_tui.engine import looks
from runbook_tui.engine.judging import Seen
from runbook_tui.engine.looks import Look
from runbook_tui.engine.ports import Order, WorkerPool
from state.stores.attempt_dir import AttemptDir

GRACES: Final = (1.0, 1.0)
"""A look that was given up changes nothing: it need not be asked for long."""

GONE_WITHIN: Final = 5.0
"""Seconds to wait until a worker that was given up is gone, before its files are taken away."""

_EVERY: Final = 0.02


@contextmanager
def directories() -> Iterator[Callable[[], Path]]:
    """Give a function that names new directories for looks; all of them go at the end."""
    numbers = itertools.count(1)
    given: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="runbook-look-", ignore_cleanup_errors=True) as base:

        def fresh() -> Path:
            given.append(Path(base) / str(next(numbers)))
            return given[-1]

        try:
            yield fresh
        finally:
            deadline = time.monotonic() + GONE_WITHIN
            while time.monotonic() < deadline and any(_alive(path) for path in given):
                time.sleep(_EVERY)


def _alive(path: Path) -> bool:
    return path.exists() and AttemptDir(path).live().alive


def begin(pool: WorkerPool, order: Order, seconds: float) -> Look:
    """Begin a look that is given up after `seconds`."""
    look = looks.begin(pool, order)
    look.ends = time.monotonic() + seconds
    return look


def wait(pool: WorkerPool, look: Look) -> Seen:
    """Return what a look found."""
    while (seen := look.poll(pool)) is None:
        time.sleep(_EVERY)
    return seen
