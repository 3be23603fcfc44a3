"""A driver that was killed: whoever comes next need not come a second time."""

from __future__ import annotations

import pytest

from runbook_tui import exits
from tests.harness.program import Program, step
from tests.people.conftest import Team

pytestmark = pytest.mark.timeout(300)

WAITING = """
- {id: a, run: echo a >> a.txt}
- {id: pause, wait: 30m}
- {id: b, run: echo b >> b.txt}
"""


def killed(team: Team, dana: Program) -> str:
    """Kill dana's program while it waits for a time; return the run."""
    team.write(WAITING)
    driver = dana.start("run", "a.yaml", "--headless")
    try:
        return team.until("wait_begun")
    finally:
        driver.kill()
        driver.communicate(timeout=60)


def resume(team: Team, run: str) -> None:
    """Let lee go on at once, and sam end the waiting."""
    answer = ("--answer", "pause=skip:seen")
    driver = team.operator("lee").start("resume", run, "--headless", *answer)
    try:
        team.until("run_resumed")
        team.operator("sam").run("stop", run, "pause", "--reason", "enough").expect(exits.DONE)
        said, _ = driver.communicate(timeout=120)
        assert driver.returncode == exits.DONE, said
    finally:
        driver.kill()
        driver.communicate(timeout=60)


def gone_on(team: Team, run: str) -> None:
    """See that every step was done once, by the drivers of one chain."""
    shown = team.operator("lee").show(run)
    assert shown["status"] == "succeeded"
    for id_ in ("a", "b"):
        assert len(step(shown, id_)["attempts"]) == 1
        assert (team.work / f"{id_}.txt").read_text() == f"{id_}\n"
    team.operator("lee").run("audit", run).expect(exits.DONE)


def test_who_comes_next_goes_on_though_it_was_on_another_machine(team: Team) -> None:
    run = killed(team, team.operator("dana", apart=True))
    resume(team, run)
    gone_on(team, run)
