"""A driver that lives and says nothing: another goes on, and it does no more when it comes back."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from runbook_tui import exits
from tests.harness.processes import until
from tests.harness.program import step
from tests.people.conftest import Team

pytestmark = pytest.mark.timeout(300)


def test_what_a_stopped_driver_has_begun_is_awaited_and_its_next_step_is_not_its_own(
    team: Team,
) -> None:
    team.write("""
- {id: a, run: 'touch begun; until [ -e go ]; do sleep 0.1; done; echo a >> a.txt'}
- {id: b, run: echo b >> b.txt}
""")
    dana = team.operator("dana")
    # At another terminal of the same machine: what runs there is seen.
    lee = replace(team.operator("lee"), state=dana.state)
    driver = dana.start("run", "a.yaml", "--headless")
    taker = None
    try:
        until((team.work / "begun").exists, "the step runs")
        run = team.records()[0].run
        driver.send_signal(signal.SIGSTOP)
        taker = lee.start("take-over", run, "--reason", "dana does not answer", "--headless")
        team.until("taken_over")
        assert not (team.work / "a.txt").exists()
        (team.work / "go").touch()
        said, _ = taker.communicate(timeout=120)
        assert taker.returncode == exits.DONE, said

        written = team.records()
        driver.send_signal(signal.SIGCONT)
        woken, _ = driver.communicate(timeout=120)
        assert driver.returncode == exits.IN_USE, woken
        assert "took over" in woken
        assert "dana does not answer" in woken
        assert team.records() == written
    finally:
        (team.work / "go").touch()
        for process in (driver, taker):
            if process is not None and process.poll() is None:
                process.kill()
                process.communicate(timeout=60)
    for id_ in ("a", "b"):
        assert (team.work / f"{id_}.txt").read_text() == f"{id_}\n"
        assert len(step(dana.show(run), id_)["attempts"]) == 1
    dana.run("audit", run).expect(exits.DONE)
