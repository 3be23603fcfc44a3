"""Runs that are really interrupted: real workers and a real journal, a driver that dies on cue.

The driver dies by an exception that nothing catches: it journals nothing more and its locks go, as
with SIGKILL (which `tests/crash` does to whole processes). Workers are processes of their own and
die by fault points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from runbook_tui import secrets
from runbook_tui.engine import faults, session
from runbook_tui.engine.driving import Place, Session
from runbook_tui.engine.faults import FaultInjected
from runbook_tui.engine.ports import Order
from runbook_tui.engine.workers import Workers
from state import fold
from state.run_state import RunState, StepState
from state.stores.attempt_dir import AttemptDir
from state.stores.location import Location
from tests.harness.processes import until
from tests.harness.stage import ScriptedOperator

HEAD: Final = "runbook: Interrupted\nversion: 1\nphases:\n  - phase: All\n    steps:\n"


class Killed(BaseException):
    """The driver dies here."""


@dataclass
class Pool:
    """The real pool. `after_start` and `before_stop` may kill the driver at the step they get."""

    workers: Workers
    after_start: Callable[[str], None] = lambda step: None
    before_stop: Callable[[], None] = lambda: None
    modes: list[tuple[str, str]] = field(default_factory=list)
    """Step and mode of each worker that was started."""

    def start(self, order: Order) -> None:
        """Start a worker; only the act itself is cut off by a fault, and not a look at it."""
        self.modes.append((order.job.step, order.mode))
        self.workers.start(order)
        if order.mode == "perform":
            self.after_start(order.job.step)

    def stop(self, directory: str, reason: str) -> None:
        """Stop a worker, at once firmly."""
        self.before_stop()
        self.workers.stop(directory, reason, (0.5, 0.5))

    def close(self) -> None:
        """The workers' helper belongs to the test."""

    def acts(self, step: str) -> int:
        """Count the attempts whose worker was started."""
        return self.modes.count((step, "perform"))


class Interrupted:
    """One run in a state directory of its own, driven in this process, interrupted and resumed."""

    def __init__(self, directory: Path, workers: Workers, location: Location | None = None) -> None:
        self.directory = directory
        self.location = location or Location(directory / "state")
        self.state = self.location.directory
        self.file = directory / "runbook.yaml"
        self.effects = directory / "effects"
        self.pool = Pool(workers)

    def write(self, steps: str) -> None:
        """Write the runbook: steps in YAML, `EFFECTS` standing for a file to append to."""
        lines = steps.replace("EFFECTS", str(self.effects)).strip("\n").splitlines()
        indent = len(lines[0]) - len(lines[0].lstrip())
        body = "\n".join(f"      {line[indent:]}" for line in lines)
        self.file.write_text(HEAD + body + "\n")

    def begin(self, operator: ScriptedOperator | None = None) -> int | None:
        """Start the run; returns its exit code, or None when the driver died."""
        return self._drive(operator, None)

    def resume(self, operator: ScriptedOperator | None = None) -> int | None:
        """Take the run up again."""
        return self._drive(operator, self.recorded().run)

    def _drive(self, operator: ScriptedOperator | None, run: str | None) -> int | None:
        with self.location.open() as store:
            place = Place(store, self.pool, secrets.resolve, "dana", "here")
            with suppress(Killed, FaultInjected), self._session(place, run) as driven:
                code: int = driven.drive(operator or ScriptedOperator())
                return code
        return None

    def _session(self, place: Place, run: str | None) -> Session:
        if run is not None:
            return session.resume(run, place)
        return session.start(session.prepare(self.file, None, {}, directory=self.directory), place)

    def leave_behind(self, *steps: str, operator: ScriptedOperator | None = None) -> None:
        """Start the run; the driver dies as soon as the workers of these steps were started."""
        left = set(steps)

        def die(started: str) -> None:
            left.discard(started)
            if not left:
                raise Killed

        self.pool.after_start = die
        assert self.begin(operator) is None
        self.pool.after_start = lambda started: None

    def leave_dead(self, step: str, operator: ScriptedOperator | None = None) -> None:
        """Start the run; the driver dies, and so does the step's worker, at the fault set."""
        assert faults.wanted(), "the worker would live"
        self.leave_behind(step, operator=operator)
        directory = self.attempt(step)
        until(lambda: directory.claimed() and not directory.live().alive, "the worker's death")
        assert directory.read_result() is None

    def attempt(self, step: str, number: int = 1) -> AttemptDir:
        """Return the directory of an attempt."""
        return AttemptDir(self.state / self.step(step).attempts[number - 1].directory)

    def recorded(self) -> RunState:
        """Return the run as its journal tells."""
        with self.location.open(write=False) as store:
            return fold.fold(store.journal.read(store.journal.runs()[0]))

    def step(self, id_: str) -> StepState:
        """Return a step as it is recorded."""
        return self.recorded().steps[id_]

    def stands(self, id_: str) -> str:
        """Return the status of a step."""
        return self.step(id_).status.value

    def lines(self) -> Sequence[str]:
        """Return the effects so far, one word each."""
        return self.effects.read_text().split() if self.effects.exists() else []
