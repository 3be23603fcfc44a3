"""`stop`: from another process, while the run is driven."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from runbook_tui import exits
from tests.commands.conftest import Program, newest, write
from tests.harness.processes import until


def test_stop_ends_the_step_and_leaves_the_reason(program: Program) -> None:
    write("a.yaml", "- {id: a, run: touch begun; sleep 120}")
    arguments = ["run", "a.yaml", "--headless"]
    driver = subprocess.Popen(
        [sys.executable, "-m", "runbook_tui", *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: Path("begun").exists())
        run = newest(program)
        assert program("stop", run, "a").code == exits.USAGE
        assert program("stop", run, "b", "--reason", "x").code == exits.USAGE
        assert program("stop", run, "a", "--reason", "wrong branch").code == exits.DONE
        assert driver.wait(timeout=120) == exits.FAILED
    finally:
        driver.terminate()
        driver.wait(timeout=120)
    (attempt,) = program("show", run, "--json").json()["steps"][0]["attempts"]
    assert attempt["status"] == "stopped"
    assert "dana@" in attempt["reason"]
    assert "wrong branch" in attempt["reason"]
    assert program("stop", run, "--reason", "again").code == exits.USAGE
