"""A signal leaves the run: the step goes on, and the next session takes it up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runbook_tui import exits
from tests.commands.conftest import Program, newest, write
from tests.harness.processes import until


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_run_and_its_step_goes_on(
    program: Program, number: signal.Signals
) -> None:
    write("a.yaml", "- {id: a, run: 'touch begun; until test -e on; do sleep 0.1; done; echo ok'}")
    driver = subprocess.Popen(
        [sys.executable, "-m", "runbook_tui", "run", "a.yaml", "--headless"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: Path("begun").exists())
        driver.send_signal(number)
        assert driver.wait(timeout=120) == exits.INTERRUPTED
        run = newest(program)
        events = [json.loads(line) for line in program("events", run).out.splitlines()]
        assert (events[-1]["kind"], number.name in events[-1]["data"]["reason"]) == (
            "run_left",
            True,
        )
    finally:
        Path("on").touch()
        driver.kill()
        driver.wait(timeout=120)
    assert program("resume", run, "--headless").code == exits.DONE
    (attempt,) = program("show", run, "--json").json()["steps"][0]["attempts"]
    assert attempt["status"] == "succeeded"
    assert Path(attempt["log"]).read_text() == "ok\n"


def test_a_killed_worker_leaves_no_secrets_behind(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its private files in memory would lie there until the machine is restarted."""
    monkeypatch.setenv("TOKEN", "swordfish")
    write(
        "a.yaml",
        "- id: a\n"
        "  secret_files: [TOKEN]\n"
        "  run: 'cat $TOKEN_FILE > found; echo $TOKEN_FILE > where; kill -9 $PPID; sleep 0.2'",
        head="environments: {here: {secrets: {TOKEN: {env: TOKEN}}}}\n",
    )
    assert program("run", "a.yaml", "-e", "here", "--headless").code == exits.WAITS
    assert Path("found").read_text() == "swordfish"
    left = Path(Path("where").read_text().strip())
    assert left.name == "TOKEN"
    assert not left.parent.exists()
