"""Processes that a test starts or adopts, waited for by condition and never left over."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from signal import SIGKILL
from types import TracebackType
from typing import Self

from runbook_tui import proc
from state.stores.machine import ProcessMark, process_mark

DEADLINE = 60.0
"""Seconds that a condition may take on a machine that is busy with other things."""


def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait until the condition holds; fail when it does not within DEADLINE."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true in {DEADLINE:.0f} s")
        time.sleep(0.01)


class Children:
    """Kills what it knows when it is left."""

    def __init__(self) -> None:
        self._adopted: list[ProcessMark] = []
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for mark in self._adopted:
            proc.send(mark, SIGKILL)
        for child in self._started:
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()

    @staticmethod
    def sleeper() -> str:
        """Return shell words that sleep much longer than a test."""
        return "sleep 1000"

    def adopt(self, pid: int) -> ProcessMark:
        """Look after a running process from now on."""
        mark = process_mark(pid)
        assert mark is not None, f"process {pid} does not run"
        self._adopted.append(mark)
        return mark

    def start(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own and wait for its first line."""
        child = subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)
        self._started.append(child)
        assert child.stdout is not None
        child.stdout.readline()
        with suppress(AssertionError):
            self.adopt(child.pid)
        return child
