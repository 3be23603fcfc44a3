"""The commands of people who do not drive, on one machine."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runbook_tui import exits
from tests.commands.conftest import write
from tests.harness import program as real
from tests.harness.processes import until

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).resolve().parents[2]
WAITS = """
- {id: a, run: echo a >> a.txt}
- {id: pause, wait: 30m}
- {id: b, run: echo b >> b.txt}
"""


@contextmanager
def driven(program: real.Program, *more: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A run of WAITS that a process of its own drives; it stands at its `wait`."""
    write("a.yaml", WAITS)
    driver = program.start("run", "a.yaml", "--headless", *more)
    try:
        until(lambda: program.runs() and "running" in _stands(program), "the run waits")
        yield program.runs()[0]["run"], driver
    finally:
        driver.kill()
        driver.communicate(timeout=60)


def _stands(program: real.Program) -> list[str]:
    shown = program.show(program.runs()[0]["run"])
    return [step["status"] for step in shown["steps"] if step["id"] == "pause"]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> real.Program:
    monkeypatch.chdir(tmp_path)
    return real.Program(tmp_path / "state", tmp_path, {"PYTHONPATH": str(ROOT)})


def test_what_others_say_reaches_the_driver(program: real.Program) -> None:
    with driven(program, "--answer", "pause=skip:seen enough") as (run, driver):
        watcher = program.start("watch", run, "--headless")
        program.run("note", run, "nearly lunch", "--step", "a").expect(exits.DONE)
        stopped = program.run("stop", run, "pause", "--reason", "long enough").expect(exits.DONE)
        assert "was told" in stopped.output
        out, _ = driver.communicate(timeout=120)
        assert driver.returncode == exits.DONE, out
        told, _ = watcher.communicate(timeout=120)
    assert watcher.returncode == exits.DONE, told
    for said in ("started by dana", "nearly lunch", "long enough", f"run {run} succeeded"):
        assert said in told
    [note] = real.step(program.show(run), "a")["notes"]
    assert (note["text"], note["operator"]) == ("nearly lunch", "dana")
    assert program.run("note", run, "it is over").expect(exits.DONE)
    assert [one["text"] for one in program.show(run)["notes"]] == ["it is over"]


def test_a_run_that_is_driven_is_handed_over_and_taken_over(program: real.Program) -> None:
    with driven(program) as (run, driver):
        refused = program.run("resume", run, "--headless").expect(exits.IN_USE)
        for said in ("dana@", f"process {driver.pid}", f"runbook watch {run}", "take-over"):
            assert said in refused.output
        program.run("handover", run, "--to", "lee").expect(exits.DONE)
        out, _ = driver.communicate(timeout=120)
        assert driver.returncode == exits.IN_USE, out
        nobody = program.run("handover", run, "--to", "lee").expect(exits.USAGE)
        assert "Nobody drives" in nobody.output
        looked = program.run("watch", run, "--headless").expect(exits.DONE)
        assert "handed over to lee" in looked.output
        assert f"runbook resume {run}" in looked.output


def test_a_stopped_process_is_named_and_not_replaced(program: real.Program) -> None:
    with driven(program) as (run, driver):
        os.kill(driver.pid, signal.SIGSTOP)
        told = program.run("take-over", run, "--reason", "it hangs", "--headless")
        told.expect(exits.IN_USE)
        assert f"process {driver.pid}, which is stopped" in told.output
        assert f"kill -CONT {driver.pid}" in told.output
        assert [one["status"] for one in program.runs()] == ["running"]
