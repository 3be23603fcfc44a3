"""Two operators, one run: the second sees it, is refused, takes over; the first writes no more."""

from __future__ import annotations

import shutil
import signal
import subprocess

import pytest

from runbook_tui import exits
from tests.harness.processes import until
from tests.harness.program import step
from tests.people.conftest import Team

pytestmark = pytest.mark.timeout(400)

WAITING = """
- {id: a, run: echo a >> a.txt}
- {id: pause, wait: 30m}
- {id: b, run: echo b >> b.txt}
"""


def test_the_second_takes_over_and_the_first_writes_no_more(team: Team) -> None:
    team.write(WAITING)
    dana, lee = team.operator("dana"), team.operator("lee", apart=True)
    driver = dana.start("run", "a.yaml", "--headless")
    watcher = taker = None
    try:
        run = team.until("wait_begun")
        watcher = lee.start("watch", run, "--headless")
        assert watcher.stdout is not None
        until_line(watcher, "waits until")

        refused = lee.run("resume", run, "--headless").expect(exits.IN_USE)
        for said in ("dana@", f"run {run}", "since", f"runbook watch {run}", "take-over"):
            assert said in refused.output

        driver.send_signal(signal.SIGSTOP)
        taker = lee.start(
            "take-over",
            run,
            "--reason",
            "dana is away",
            "--headless",
            "--answer",
            "pause=skip:seen",
        )
        team.until("taken_over")
        team.operator("sam").run("stop", run, "pause", "--reason", "long enough").expect(exits.DONE)
        out, _ = taker.communicate(timeout=120)
        assert taker.returncode == exits.DONE, out
        told, _ = watcher.communicate(timeout=120)
        assert watcher.returncode == exits.DONE, told
        assert "taken over from dana@" in told

        written = team.records()
        driver.send_signal(signal.SIGCONT)
        said, _ = driver.communicate(timeout=120)
        assert driver.returncode == exits.IN_USE, said
        assert "lee@lee-host took over" in said
        assert team.records() == written
    finally:
        end(driver, watcher, taker)
    assert (team.work / "a.txt").read_text() == "a\n"
    assert (team.work / "b.txt").read_text() == "b\n"
    [taken] = [one.data for one in written if one.kind == "taken_over"]
    assert (taken["before"], taken["reason"], taken["how"]) == ("dana", "dana is away", "expired")
    dana.run("audit", run).expect(exits.DONE)
    afterwards = lee.run("watch", run, "--headless").expect(exits.DONE).output
    assert f"run {run} started by dana" in afterwards
    assert f"run {run} taken up by lee" in afterwards


def test_a_driver_without_a_person_gives_the_run_away_when_asked(team: Team) -> None:
    team.write(WAITING)
    dana, lee = team.operator("dana"), team.operator("lee")
    driver = dana.start("run", "a.yaml", "--headless")
    taker = None
    try:
        run = team.until("wait_begun")
        lee.run("note", run, "nearly lunch").expect(exits.DONE)
        taker = lee.start("take-over", run, "--reason", "my turn", "--headless")
        said, _ = driver.communicate(timeout=120)
        assert driver.returncode == exits.IN_USE, said
        team.until("taken_over")
        dana.run("handover", run, "--to", "kim", "--reason", "lunch").expect(exits.DONE)
        out, _ = taker.communicate(timeout=120)
        assert taker.returncode == exits.IN_USE, out
    finally:
        end(driver, taker)
    kinds = team.kinds()
    assert kinds.count("note_received") == 1
    assert kinds[-2:] == ["handed_over", "run_left"]
    [note] = dana.show(run)["notes"]
    assert (note["operator"], note["text"]) == ("lee", "nearly lunch")
    [taken] = [one.data for one in team.records() if one.kind == "taken_over"]
    assert taken["how"] == "yielded"


def test_what_a_neighbour_began_on_the_same_machine_is_not_judged_from_here(team: Team) -> None:
    team.write(
        "- {id: a, run: 'touch begun; until [ -e go ]; do sleep 0.1; done; echo a >> a.txt'}"
    )
    dana, lee = team.operator("dana"), team.operator("lee")
    driver = dana.start("run", "a.yaml", "--headless")
    try:
        until((team.work / "begun").exists, "the step runs")
        run = team.records()[0].run
        waits = lee.run("take-over", run, "--reason", "my turn", "--headless")
        waits.expect(exits.WAITS)
        assert "is running on" in waits.output
        driver.communicate(timeout=120)
        (team.work / "go").touch()
        dana.run("resume", run, "--headless").expect(exits.DONE)
    finally:
        end(driver)
        (team.work / "go").touch()
    [attempt] = step(dana.show(run), "a")["attempts"]
    assert attempt["status"] == "succeeded"
    assert (team.work / "a.txt").read_text() == "a\n"


def test_a_machine_that_is_gone_is_declared_dead_and_what_it_did_is_looked_at(team: Team) -> None:
    team.write(
        "- id: a\n"
        "  run: 'if [ -e second ]; then echo x >> done; else touch begun; sleep 1000; fi'\n"
        "  verify: {run: test -s done, absent: 1}\n"
    )
    dana, lee = team.operator("dana", apart=True), team.operator("lee", apart=True)
    machine = dana.start("run", "a.yaml", "--headless")
    try:
        until((team.work / "begun").exists, "the step runs")
        run = team.records()[0].run
    finally:
        # The first process of its namespace dies, and with it every other: the power is off.
        machine.kill()
        machine.communicate(timeout=60)
    shutil.rmtree(dana.state)
    (team.work / "second").touch()

    waits = lee.run("take-over", run, "--reason", "the machine is gone", "--headless")
    waits.expect(exits.WAITS)
    assert "running on dana-host" in waits.output
    done = lee.run(
        *("resume", run, "--headless"),
        *("--answer", "a=dead:its disk burnt", "--answer", "a=retry"),
    )
    done.expect(exits.DONE)
    [first, second] = step(lee.show(run), "a")["attempts"]
    assert "declared dead: its disk burnt" in first["reason"]
    assert (first["verdict"], second["status"]) == ("absent", "succeeded")
    assert (team.work / "done").read_text() == "x\n"


def until_line(process: subprocess.Popen[str], text: str) -> None:
    """Read a process's lines until one has the text; its end without one fails."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"it ended without saying {text}")


def end(*processes: subprocess.Popen[str] | None) -> None:
    for process in processes:
        if process is not None and process.poll() is None:
            process.kill()
            process.communicate(timeout=60)
