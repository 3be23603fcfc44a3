"""SIGKILL at each fault point of driver and worker, then `resume`: exactly one effect.

The effect is a line that the step appends to a file: two lines are two effects.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui import exits, secrets
from runbook_tui.definition.problems import UsageProblem
from runbook_tui.engine import session
from runbook_tui.engine.driving import Place
from runbook_tui.engine.workers import Workers
from state import fold
from state.run_state import RunState
from state.stores.attempt_dir import AttemptDir
from state.stores.sqlite import open_journal
from state.stores.store import open_local
from tests.harness.processes import DEADLINE, until
from tests.harness.stage import ScriptedOperator

RUNBOOK = """\
runbook: Effects
version: 1
phases:
  - phase: All
    steps:
      - id: first
        confirm: ask
        run: {{script: 'echo first >> "{effects}"'}}
        verify: {{run: 'grep -q first "{effects}"', absent: [1, 2]}}
      - id: second
        run: {{script: 'echo second >> "{effects}"'}}
"""

DRIVER = ("before-intent", "after-intent", "after-spawn", "before-outcome", "after-outcome")


class World:
    """A state directory, a runbook and the file that holds its effects."""

    def __init__(self, directory: Path, repository: Path) -> None:
        self.state = directory / "state"
        self.effects = directory / "effects"
        self.file = directory / "effects.yaml"
        self.file.write_text(RUNBOOK.format(effects=self.effects))
        self.repository = repository

    def drive(self, target: str, fault: str | None = None) -> subprocess.CompletedProcess[str]:
        """Start or take up a run in a process of its own."""
        env = {**os.environ, "PYTHONPATH": str(self.repository)}
        if fault is not None:
            env["RUNBOOK_FAULT"] = fault
        return subprocess.run(
            [sys.executable, "-m", "tests.crash.drive", str(self.state), target],
            env=env,
            cwd=self.repository,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )

    def recorded(self) -> RunState:
        """Return the one run there is."""
        with open_journal(self.state) as journal:
            return fold.fold(journal.read(journal.runs()[0]))

    def lines(self) -> list[str]:
        """Return the effects so far."""
        return self.effects.read_text().split() if self.effects.exists() else []


@pytest.fixture
def world(tmp_path: Path, repository: Path) -> World:
    return World(tmp_path, repository)


@pytest.fixture(scope="module")
def pool() -> Iterator[Workers]:
    pool = Workers()
    yield pool
    pool.close()


def resumed_here(world: World, pool: Workers) -> int:
    """Take the run up in this process and drive it to its end."""
    run = world.recorded().run
    with open_local(world.state) as store:
        place = Place(store, pool, secrets.resolve, "dana")
        with session.resume(run, place) as driven:
            return driven.drive(ScriptedOperator({"first": ["yes"] * 3}))


@pytest.mark.parametrize("point", DRIVER)
def test_the_driver_dies(world: World, pool: Workers, point: str) -> None:
    died = world.drive(str(world.file), f"driver.{point}@first:kill")
    assert died.returncode == -9, died.stderr
    assert resumed_here(world, pool) == exits.DONE
    assert world.lines() == ["first", "second"]
    assert {one.status.value for one in world.recorded().steps.values()} == {"succeeded"}


def live_here(
    world: World,
    pool: Workers,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    step: str = "first",
) -> int:
    """Drive in this process while the first worker of a step dies at a fault point."""
    monkeypatch.setenv("RUNBOOK_FAULT", fault)
    monkeypatch.setattr("runbook_tui.engine.looks.PATIENCE", 0.2)

    def heal() -> None:
        monkeypatch.delenv("RUNBOOK_FAULT")
        monkeypatch.setattr("runbook_tui.engine.looks.PATIENCE", DEADLINE)

    operator = ScriptedOperator({"first": ["yes"] * 3})
    operator.when(lambda state: bool(state.steps[step].attempts), heal)
    with open_local(world.state) as store:
        place = Place(store, pool, secrets.resolve, "dana")
        prepared = session.prepare(world.file, None, {}, directory=world.file.parent)
        with session.start(prepared, place) as driven:
            return driven.drive(operator)


@pytest.mark.parametrize("point", ["before-claim", "before-act", "after-act", "after-result"])
def test_the_worker_dies(
    world: World, pool: Workers, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    code = live_here(world, pool, monkeypatch, f"worker.{point}@first:kill")
    assert code == exits.DONE
    assert world.lines() == ["first", "second"]


@pytest.mark.parametrize("point", ["before-act", "after-act"])
def test_without_a_check_nobody_knows(
    world: World, pool: Workers, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    code = live_here(world, pool, monkeypatch, f"worker.{point}@second:kill", "second")
    assert code == exits.WAITS
    assert world.lines().count("second") == (1 if point == "after-act" else 0)
    assert world.recorded().steps["second"].status.value == "unknown"


def test_the_step_goes_on_and_its_result_is_adopted(world: World) -> None:
    """Driver and its helper die in the middle; the worker ends the step all the same."""
    world.file.write_text(world.file.read_text().replace("'echo first", "'sleep 0.5; echo first"))
    died = world.drive(str(world.file), "driver.after-spawn@first:kill")
    assert died.returncode == -9, died.stderr
    state = world.recorded()
    attempt = state.steps["first"].attempts[0]
    directory = AttemptDir(world.state / attempt.directory)
    until(lambda: directory.read_result() is not None, "the step's result")
    again = world.drive(state.run)
    assert again.returncode == exits.DONE, again.stdout + again.stderr
    assert len(world.recorded().steps["first"].attempts) == 1
    assert world.lines() == ["first", "second"]


def test_no_faults_in_a_protected_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "environments: {production: {protected: true}}\n"
    world.file.write_text(head + world.file.read_text())
    monkeypatch.setenv("RUNBOOK_FAULT", "driver.before-intent:kill")
    with pytest.raises(UsageProblem, match="no faults there"):
        session.prepare(world.file, "production", {})
