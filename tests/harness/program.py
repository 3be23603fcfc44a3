"""The real program, run as an operator runs it: its own process, its own state directory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook_tui.report import show as report
from state.fold import fold
from state.stores.location import Location

LONGEST = 600
"""Seconds after which a command of the program is taken for stuck."""


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    code: int
    output: str

    def expect(self, code: int) -> Done:
        """Insist on an exit code, with all that was said when it is another one."""
        assert self.code == code, f"exit {self.code} instead of {code}:\n{self.output}"
        return self


@dataclass(frozen=True)
class Program:
    """Where the program is called and where it keeps its state."""

    state: Path
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    """Words before the command, for a program that is to see the machine otherwise."""
    url: str | None = None
    """The database that the state is shared in."""

    def run(self, *words: str, fault: str | None = None) -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            self._command(words),
            cwd=self.cwd,
            env=self._env(fault),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST,
        )
        return Done(done.returncode, done.stdout)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command and return at once; its output can be read from `stdout`."""
        return subprocess.Popen(
            self._command(words),
            cwd=self.cwd,
            env=self._env(None),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def runs(self) -> list[dict[str, Any]]:
        """Return what `runs --json` prints, without starting the program for it."""
        with Location(self.state, self.url).open(write=False) as store:
            read = [store.journal.read(run) for run in store.journal.runs()]
            states = [fold(records) for records in read if records]
            return [report.summary(state, report.observed(state, store)) for state in states]

    def show(self, run: str) -> dict[str, Any]:
        """Return what `show RUN --json` prints, without starting the program for it."""
        with Location(self.state, self.url).open(write=False) as store:
            return report.show(fold(store.journal.read(run)), store)

    def _command(self, words: Sequence[str]) -> list[str]:
        return [*self.prefix, sys.executable, "-m", "runbook_tui", *words]

    def _env(self, fault: str | None) -> dict[str, str]:
        return self.environment({"RUNBOOK_FAULT": fault} if fault else {})

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that a command of the program gets."""
        place = {
            "RUNBOOK_STATE": self.url or str(self.state),
            "RUNBOOK_STATE_LOCAL": str(self.state),
        }
        return {**os.environ, **self.env, **place, **more}


def step(shown: Mapping[str, Any], id_: str) -> dict[str, Any]:
    """Return a step of what `show --json` says."""
    found: dict[str, Any] = next(one for one in shown["steps"] if one["id"] == id_)
    return found


def outputs(shown: Mapping[str, Any], id_: str) -> dict[str, str]:
    """Return the outputs of a step's last attempt."""
    found: dict[str, str] = step(shown, id_)["attempts"][-1]["outputs"]
    return found
