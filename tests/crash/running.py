"""Runs one cell: strike, resume to the end, compare the world with an undisturbed one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

from runbook_tui import exits
from state.stores.postgres_leases import EXPIRY
from tests.crash import oracle
from tests.crash.cells import Cell, Class
from tests.crash.power import Disk
from tests.crash.servers import Servers
from tests.crash.striking import Struck, faults
from tests.crash.worlds import WORLDS
from tests.crash.worlds.base import Facts, World
from tests.harness import program
from tests.harness.program import Done, Program

GOOD = (exits.DONE, exits.ROLLED_BACK)
MOST_QUESTIONS = 3
CHECKOUT = Path(__file__).resolve().parents[2]


class CellError(AssertionError):
    """A cell did not come out as it must; says how."""


@dataclass
class Matrix:
    """Cells over one set of servers. `code` is where the program that is struck lies."""

    servers: Servers
    code: Path = CHECKOUT
    shared: bool = False
    """The journal is in PostgreSQL, in a database of its own for each cell."""
    _number: Callable[[], int] = field(default_factory=lambda: count(1).__next__)
    _wanted: dict[str, tuple[Facts, Facts]] = field(default_factory=dict)
    _locks: dict[str, Lock] = field(default_factory=dict)
    _guard: Lock = field(default_factory=Lock)

    def run(self, cell: Cell, expected: Class | None) -> Class:
        """Run a cell; return how it was decided, which must be as expected. Raises CellError."""
        before, wanted = self._undisturbed(cell.action)
        world = self._world(cell.action)
        with ExitStack() as opened:
            opened.enter_context(closing(world))
            url = None
            if self.shared:
                url = self.servers.postgres.create()
                opened.callback(self.servers.postgres.drop, url)
            return _CellRun(world, self.code, before, wanted, url).run(cell, expected)

    def _world(self, action: str) -> World:
        home = self.servers.home / f"w{self._number()}"
        return WORLDS[action](self.servers, home)

    def _undisturbed(self, action: str) -> tuple[Facts, Facts]:
        """Return what a world of this action holds before and after a run that nobody disturbs."""
        with self._guard:
            lock = self._locks.setdefault(action, Lock())
        with lock:
            if action not in self._wanted:
                world = self._world(action)
                with closing(world):
                    self._wanted[action] = _CellRun(world, CHECKOUT, {}, {}).undisturbed()
            return self._wanted[action]


@dataclass
class _CellRun:
    world: World
    code: Path
    before: Facts
    wanted: Facts
    url: str | None = None
    said: list[str] = field(default_factory=list)
    disk: Disk | None = None
    struck: Struck | None = None
    open: ExitStack = field(default_factory=ExitStack)

    def undisturbed(self) -> tuple[Facts, Facts]:
        prepared = self._prepare()
        before = self.world.facts()
        self._call(*self.world.command(prepared)).expect(exits.DONE)
        return before, self.world.facts()

    def run(self, cell: Cell, expected: Class | None) -> Class:
        with ExitStack() as self.open:
            if cell.victim == "power":
                self.disk = self.open.enter_context(closing(Disk(self.world.home)))
                self.world.lie_on(self.disk.path)
            return self._run(cell, expected)

    def _run(self, cell: Cell, expected: Class | None) -> Class:
        prepared = self._prepare()
        if (found := self.world.facts()) != self.before:
            raise CellError(f"{cell}: the world began with {found}")
        code = self._struck(cell, self.world.command(prepared))
        if cell.victim == "late":
            code = self._taken_up_beside(cell)
        questions = 0
        while code not in GOOD:
            answers: Sequence[str] = ()
            if code != -9:
                questions += 1
                answers = self._answers(cell)
            if questions > MOST_QUESTIONS:
                raise self._failed(cell, "it goes on asking")
            code = self._resumed(answers)
        if (found := self.world.facts()) != self.wanted:
            raise self._failed(cell, f"the world holds {found} instead of {self.wanted}")
        self._insist_on_success(cell)
        kind: Class = "asked" if questions else "evidence"
        if kind != expected:
            raise self._failed(cell, f"decided: {kind}; the table says {expected}")
        return kind

    def _resumed(self, answers: Sequence[str]) -> int:
        """Take the run up again. In a shared journal its driver first has to be silent for long
        enough: until then the place is in use.
        """
        deadline = time.monotonic() + 2 * EXPIRY
        while True:
            done = self._call("resume", self._run_id(), "--headless", "--yes", *answers)
            if done.code != exits.IN_USE or time.monotonic() > deadline:
                return done.code

    def _prepare(self) -> str | None:
        words = self.world.prepare()
        if words is None:
            return None
        self._call(*words).expect(exits.DONE)
        return self._run_id()

    def _struck(self, cell: Cell, words: Sequence[str]) -> int:
        fault = {"RUNBOOK_FAULT": faults(cell, self.world.step)}
        self.struck = struck = Struck(self._started(words, fault, cell))
        self.open.enter_context(closing(struck))
        try:
            struck.strike(cell, self.disk.cut if self.disk else lambda: None)
        except AssertionError as problem:
            raise self._failed(cell, str(problem)) from problem
        code, said = struck.ends()
        self.said += ["$ " + " ".join(words), said]
        if self.disk:
            self.disk.replace()
        return code

    def _taken_up_beside(self, cell: Cell) -> int:
        """Take the run up while its worker sleeps; wake it when that waits for it, or is over."""
        assert self.struck
        deadline = time.monotonic() + 2 * EXPIRY
        while (code := self._resumed_beside(cell)) == exits.IN_USE:
            if time.monotonic() > deadline:
                break
        self.struck.wake()
        self.struck.wait_for_workers()
        return code

    def _resumed_beside(self, cell: Cell) -> int:
        assert self.struck
        words = ["resume", self._run_id(), "--headless", "--yes"]
        lines = []
        with self._start("runbook_tui", words, {}) as resumed:
            assert resumed.stdout
            for line in resumed.stdout:
                lines.append(line)
                if " taken up by " in line and cell.point != "worker.before-claim":
                    self.struck.wake()
        self.said += ["$ " + " ".join(words), "".join(lines)]
        return resumed.returncode

    def _started(
        self, words: Sequence[str], env: Mapping[str, str], cell: Cell
    ) -> subprocess.Popen[str]:
        hasty = cell.point == "worker.before-claim" and cell.victim == "worker"
        return self._start("tests.crash.hasty" if hasty else "runbook_tui", words, env)

    def _start(
        self, module: str, words: Sequence[str], env: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=self.world.work,
            env=self._program().environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _program(self) -> Program:
        path = f"{self.code}:{CHECKOUT}"
        prefix = self.disk.after if self.disk else ()
        return Program(self.world.state, self.world.work, {"PYTHONPATH": path}, prefix, self.url)

    def _call(self, *words: str) -> Done:
        done = self._program().run(*words)
        self.said += ["$ " + " ".join(words), done.output]
        return done

    def _run_id(self) -> str:
        runs = self._program().runs()
        if not runs:
            raise CellError("the run is not known any more\n" + "\n".join(self.said))
        return str(runs[0]["run"])

    def _answers(self, cell: Cell) -> list[str]:
        shown = self._program().show(self._run_id())
        step = program.step(shown, self.world.step)
        facts = self.world.facts()
        if step["status"] not in ("unknown", "failed"):
            raise self._failed(cell, f"it stopped with the step {step['status']}")
        said = oracle.answer(facts, self.before, self.wanted)
        return ["--answer", f"{self.world.step}={said}"]

    def _insist_on_success(self, cell: Cell) -> None:
        shown: Mapping[str, Any] = self._program().show(self._run_id())
        step = program.step(shown, self.world.step)
        good = step["status"] == "succeeded" and shown["status"] in ("succeeded", "rolled_back")
        if not good:
            raise self._failed(cell, f"the run is {shown['status']}, the step {step['status']}")

    def _failed(self, cell: Cell, why: str) -> CellError:
        return CellError(f"{cell}: {why}\n" + "\n".join(self.said))
