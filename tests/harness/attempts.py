"""Attempts performed by real worker processes, one directory each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from signal import SIGKILL
from typing import Any

from runbook_tui import proc
from runbook_tui.actions.api import Job
from runbook_tui.engine.ports import Mode, Order
from runbook_tui.engine.workers import Workers
from state.stores.attempt_dir import AttemptDir
from state.stores.result import Result
from tests.harness.processes import until

QUICK = (0.2, 0.2)
"""Graces for what will not listen."""

PATIENT = (60.0, 60.0)
"""Graces for what listens, on however busy a machine."""


class Attempts:
    """Starts attempts under `base`; when it is left no process of theirs is alive."""

    def __init__(self, pool: Workers, base: Path) -> None:
        self.pool = pool
        self.base = base
        self._made: list[AttemptDir] = []

    def directory(self) -> AttemptDir:
        """Return a new attempt's directory."""
        made = AttemptDir(self.base / f"step.{len(self._made) + 1}")
        made.create()
        self._made.append(made)
        return made

    def order(self, attempt: AttemptDir, options: Mapping[str, Any], **given: Any) -> Order:
        """Return an order for the actions of `acting`, or for those of `perform`."""
        mode: Mode = given.pop("mode", "perform")
        perform = given.pop("perform", "tests.engine.acting")
        fault, graces = given.pop("fault", None), given.pop("graces", PATIENT)
        job = Job(
            run="1123-k7f3",
            step="step",
            number=len(self._made),
            action="acting",
            options=options,
            directory=str(attempt.path),
            cwd=str(self.base),
            environment="sandbox",
            operator="dana",
            **given,
        )
        return Order(mode, perform, job, fault, graces)

    def start(self, options: Mapping[str, Any], **given: Any) -> AttemptDir:
        """Start an attempt and return its directory."""
        attempt = self.directory()
        self.pool.start(self.order(attempt, options, **given))
        return attempt

    def perform(self, options: Mapping[str, Any], **given: Any) -> tuple[Result, AttemptDir]:
        """Perform an attempt and wait for its result."""
        attempt = self.start(options, **given)
        return result(attempt), attempt

    def end(self) -> None:
        """Kill what is left of the attempts and remove their files."""
        for attempt in self._made:
            for mark in proc.lock_holders(*attempt.lock_identity()):
                proc.send(mark, SIGKILL)
        shutil.rmtree(self.base, ignore_errors=True)


def result(attempt: AttemptDir) -> Result:
    """Wait for the result and the end of the worker."""
    until(lambda: attempt.read_result() is not None, f"the result in {attempt.path}")
    found = attempt.read_result()
    assert isinstance(found, Result), found
    return found


def said(attempt: AttemptDir, text: str) -> None:
    """Wait until the log holds a text."""
    until(lambda: text.encode() in attempt.output.read_bytes(), f"the output {text}")


def everything(directory: Path) -> bytes:
    """Return all names and contents under a directory."""
    parts: list[bytes] = []
    for folder, _, names in os.walk(directory):
        parts.append(os.fsencode(folder))
        parts += [os.fsencode(name) + (Path(folder) / name).read_bytes() for name in names]
    return b"\n".join(parts)
