"""Waits until one of our processes stands at its fault point, and kills there.

The fault point stops its process (SIGSTOP) instead of killing it, so that any of our processes can
be killed while it stands exactly there.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

from runbook_tui import proc
from state.stores.machine import ProcessMark, process_mark
from tests.crash.cells import Cell
from tests.harness.processes import DEADLINE, until


def faults(cell: Cell, step: str) -> str:
    """Return what RUNBOOK_FAULT says for a cell.

    Where the driver is killed while the worker stands, it stands itself from the start of the
    worker on: else it might have read the result and gone on. Where the worker is killed beside its
    result, the driver must not be over before anybody saw the worker stand.
    """
    wanted = [cell.point]
    if not cell.point.startswith("driver."):
        if cell.victim != "worker":
            wanted.append("driver.after-spawn")
        elif cell.point == "worker.after-result":
            wanted.append("driver.before-outcome")
    return ",".join(f"{point}@{step}:stop" for point in wanted)


class Struck:
    """A program that is driven to its fault point."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self.program = program
        self.asleep: list[ProcessMark] = []

    def close(self) -> None:
        """Leave nothing of it that runs or sleeps."""
        left = [*self.workers(), *self.asleep]
        self.program.kill()
        self.program.wait()
        if self.program.stdout:
            self.program.stdout.close()
        for worker in left:
            proc.send(worker, SIGKILL)

    def wake(self) -> None:
        """Let a worker that was left asleep go on."""
        for worker in self.asleep:
            proc.send(worker, SIGCONT)

    def wait_for_workers(self) -> None:
        """Return when the worker that was left asleep is gone."""
        until(lambda: not any(worker.alive() for worker in self.asleep), "the late worker's end")

    def strike(self, cell: Cell, at_the_cut: Callable[[], None]) -> None:
        """Wait for the point, kill the cell's victims there, and let the others go on.

        `at_the_cut` is called before that. AssertionError when nobody reaches the point.
        """
        at_driver = cell.point.startswith("driver.")
        self._until(lambda: state_of(self.program.pid) == "T" if at_driver else self._standing())
        workers = self.workers() if at_driver else self._standing()
        if cell.victim == "power":
            workers = self._all_stand()
        at_the_cut()
        if cell.victim != "worker":
            self.program.kill()
            self.program.wait(DEADLINE)
        if cell.victim == "late":
            self.asleep = workers
            return
        if cell.victim == "driver":
            _let_end([] if at_driver else workers)
            return
        for worker in workers:
            proc.send(worker, SIGKILL)

    def _standing(self) -> list[ProcessMark]:
        """Return the workers that stand; one that looks may be there too, and goes its way."""
        return [one for one in self.workers() if state_of(one.pid) == "T"]

    def _all_stand(self) -> list[ProcessMark]:
        """Stop everything below the program, and return it: after a cut nobody does anything."""
        while True:
            found = [mark for pid in _below(self.program.pid) if (mark := process_mark(pid))]
            running = [mark for mark in found if state_of(mark.pid) not in ("T", "Z", "X", "")]
            if not running:
                return found
            for mark in running:
                proc.send(mark, SIGSTOP)
            time.sleep(0.005)

    def _until(self, there: Callable[[], object]) -> None:
        """Wait until somebody is there, as long as the program is."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline and self.program.poll() is None:
            if there():
                return
            time.sleep(0.005)
        self.program.kill()
        said = self.program.communicate()[0]
        raise AssertionError(f"nobody reached the fault point:\n{said}")

    def workers(self) -> list[ProcessMark]:
        """Return the workers: the children of the program's helper."""
        pids = [pid for helper in _children(self.program.pid) for pid in _children(helper)]
        marks = [process_mark(pid) for pid in pids]
        return [mark for mark in marks if mark is not None]

    def ends(self) -> tuple[int, str]:
        """Wait until the program ends by itself; it and later workers that stop go on at once."""
        deadline = time.monotonic() + 3 * DEADLINE
        while self.program.poll() is None:
            if time.monotonic() > deadline:
                self.program.kill()
                said = self.program.communicate()[0]
                raise AssertionError(f"the program does not end:\n{said}")
            if state_of(self.program.pid) == "T":
                self.program.send_signal(SIGCONT)
            for one in self._standing():
                proc.send(one, SIGCONT)
            time.sleep(0.02)
        return self.program.returncode, self.program.communicate()[0]


def _let_end(workers: list[ProcessMark]) -> None:
    """Let workers go on to their end, past the same point where they come to it again."""

    def gone() -> bool:
        for worker in workers:
            if state_of(worker.pid) == "T":
                proc.send(worker, SIGCONT)
        return not any(worker.alive() for worker in workers)

    until(gone, "the worker's end")


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                found += [int(word) for word in (task / "children").read_text().split()]
    return found


def _below(pid: int) -> list[int]:
    return [one for child in _children(pid) for one in (child, *_below(child))]


def state_of(pid: int) -> str:
    """Return a process's state in one letter, such as T for one that stands; empty when gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        return stat.rpartition(")")[2].split()[0]
    return ""
