"""A driver stopped between its intent and its worker: woken after another took over, it is late."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from runbook_tui import exits
from state.stores.machine import process_stopped
from tests.harness.processes import until
from tests.harness.program import step
from tests.people.conftest import Team

pytestmark = pytest.mark.timeout(300)


def test_its_worker_never_begins(team: Team) -> None:
    team.write("- id: a\n  run: echo x >> done\n  verify: {run: test -s done, absent: 1}\n")
    dana, lee = team.operator("dana"), team.operator("lee", apart=True)
    stopping = replace(dana, env={**dana.env, "RUNBOOK_FAULT": "driver.after-intent@a:stop"})
    driver = stopping.start("run", "a.yaml", "--headless")
    try:
        run = team.until("attempt_intended")
        until(lambda: process_stopped(driver.pid), "the stop at the fault point")
        lee.run("take-over", run, "--reason", "no sign of dana", "--headless").expect(exits.WAITS)
        lee.run(
            *("resume", run, "--headless"),
            *("--answer", "a=dead:her laptop is off", "--answer", "a=retry"),
        ).expect(exits.DONE)
        assert (team.work / "done").read_text() == "x\n"
        written = team.records()
        driver.send_signal(signal.SIGCONT)
        said, _ = driver.communicate(timeout=120)
        assert driver.returncode == exits.IN_USE, said
    finally:
        driver.kill()
        driver.communicate(timeout=60)
    assert team.records() == written
    assert (team.work / "done").read_text() == "x\n"
    [first, second] = step(lee.show(run), "a")["attempts"]
    assert (first["verdict"], second["status"]) == ("absent", "succeeded")
