"""`each` and steps in the background with real workers: killed, failing, breaching."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runbook_tui import proc
from state.stores.attempt_dir import AttemptDir
from tests.harness.processes import until
from tests.harness.program import Program, step

HEAD = "runbook: Test\nversion: 1\nphases:\n  - phase: All\n    steps:\n"
EACH = """\
      - id: roll
        each: {item: [x, y, z]}
        steps:
          - {id: a, run: 'echo "a ${{ item }}" >> effects'}
          - id: b
            run: |
              echo "b ${{ item }}" >> effects
              if [ "${{ item }}" = y ]; then
                touch begun
                while [ ! -e go ]; do sleep 0.05; done
              fi
              touch "done-${{ item }}"
            verify: {run: 'test -e "done-${{ item }}"', absent: 1}
      - {id: last, run: 'echo "${{ steps.b.exit_code }}" >> effects'}
"""
ALL = ["a x", "b x", "a y", "b y", "a z", "b z", "0"]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program, called in an empty folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    return Program(tmp_path / "state", folder)


def killed_at_y(program: Program) -> str:
    """Start the run and kill its driver while `b` is at it for y; return the run."""
    (program.cwd / "r.yaml").write_text(HEAD + EACH)
    driver = program.start("run", "r.yaml", "--headless")
    try:
        until((program.cwd / "begun").exists)
    finally:
        os.kill(driver.pid, signal.SIGKILL)
        driver.communicate()
    [run] = program.runs()
    assert run["status"] == "interrupted"
    return str(run["run"])


def effects(program: Program) -> list[str]:
    return (program.cwd / "effects").read_text().splitlines()


def tries(shown: dict[str, Any]) -> dict[str, int]:
    return {one["id"]: len(one["attempts"]) for one in shown["steps"]}


def test_the_second_of_three_goes_on_when_its_driver_was_killed(program: Program) -> None:
    run = killed_at_y(program)
    (program.cwd / "go").touch()
    program.run("resume", run, "--headless").expect(0)
    assert effects(program) == ALL
    assert set(tries(program.show(run)).values()) == {1}


def test_only_the_second_is_run_again_when_its_worker_was_killed_too(program: Program) -> None:
    run = killed_at_y(program)
    log = Path(step(program.show(run), "b@y")["attempts"][0]["log"])
    attempt = AttemptDir(log.parent)
    # The worker, which is the oldest, goes first: it must not write down how its script ended.
    for mark in sorted(proc.lock_holders(*attempt.lock_identity()), key=lambda one: one.pid):
        proc.send(mark, signal.SIGKILL)
    until(lambda: not attempt.live().alive)
    (program.cwd / "go").touch()
    program.run("resume", run, "--headless").expect(0)
    assert effects(program) == [*ALL[:4], "b y", *ALL[4:]]
    shown = program.show(run)
    assert tries(shown) == {"b@y": 2, **dict.fromkeys(set(tries(shown)) - {"b@y"}, 1)}


FAILING = """\
      - id: roll
        on_failure: continue
        each: {item: [a, b, c, e], max_failures: 1}
        steps:
          - {id: s, run: 'case "${{ item }}" in a|c) exit 1;; esac'}
      - {id: last, run: 'true'}
"""


def test_more_failures_than_may_be_are_asked_about_and_start_no_other(program: Program) -> None:
    (program.cwd / "r.yaml").write_text(HEAD + FAILING)
    program.run("run", "r.yaml", "--headless").expect(1)
    [run] = program.runs()
    shown = program.show(run["run"])
    stands = {one["id"]: one["status"] for one in shown["steps"]}
    assert (stands["s@a"], stands["s@c"]) == ("failed", "failed")
    assert stands["s@e"] == stands["last"] == "pending"
    words = ["resume", run["run"], "--headless"]
    wrong = program.run(*words, "--answer", "s@q=skip:x").expect(2)
    assert "there is no step s@q" in wrong.output
    program.run(*words, "--answer", "s@c=skip:it is gone").expect(0)
    [run] = program.runs()
    assert (run["status"], run["failures"]) == ("succeeded", 1)
    assert step(program.show(run["run"]), "s@e")["status"] == "succeeded"
    program.run("log", run["run"], "s@e").expect(0)


BACKGROUND = """\
      - id: soak
        background: true
        check: {run: 'while [ ! -e bad ]; do sleep 0.05; done; exit 1', absent: 1}
      - id: warm
        background: true
        check: {run: 'while [ ! -e a-done ]; do sleep 0.05; done'}
      - {id: a, run: 'touch bad; while [ ! -e go ]; do sleep 0.05; done; touch a-done'}
      - join: warm
      - {id: z, run: 'true'}
"""


def test_a_breach_is_asked_while_a_step_runs_and_a_join_waits(program: Program) -> None:
    (program.cwd / "r.yaml").write_text(HEAD + BACKGROUND)
    driver = program.start("run", "r.yaml", "--headless", "--answer", "soak=skip:a false alarm")
    try:
        assert driver.stdout is not None
        for line in driver.stdout:
            if "soak failed" in line:
                break
        [run] = program.runs()
        assert step(program.show(run["run"]), "a")["status"] == "running"
        (program.cwd / "go").touch()
        rest, _ = driver.communicate(timeout=150)
    finally:
        (program.cwd / "go").touch()
        (program.cwd / "bad").touch()
        _ended(driver)
    assert driver.returncode == 0, rest
    shown = program.show(run["run"])
    assert {one["id"]: one["status"] for one in shown["steps"]} == {
        "soak": "skipped",
        "warm": "succeeded",
        "a": "succeeded",
        "join": "succeeded",
        "z": "succeeded",
    }
    warm, z = (step(shown, id_)["attempts"][0] for id_ in ("warm", "z"))
    assert warm["ended_at"] <= z["started_at"]


def _ended(driver: subprocess.Popen[str]) -> None:
    if driver.poll() is None:
        driver.kill()
        driver.communicate()


def test_a_changed_file_leaves_an_each_that_has_its_list_as_it_was(program: Program) -> None:
    file = program.cwd / "r.yaml"
    steps = """\
      - id: roll
        each: {item: [x, y, z]}
        steps:
          - {id: s, run: 'echo "old ${{ item }}" >> effects; [ "${{ item }}" != y ] || test -e go'}
      - id: later
        each: {item: [p, q]}
        steps:
          - {id: t, run: 'echo "old ${{ item }}" >> effects'}
"""
    file.write_text(HEAD + steps)
    program.run("run", "r.yaml", "--headless").expect(1)
    changed = steps.replace("old", "new").replace("[x, y, z]", "[x]").replace("[p, q]", "[p, r]")
    file.write_text(HEAD + changed)
    (program.cwd / "go").touch()
    words = ["resume", "--headless", "--answer", "s@y=retry", "--adopt-changes"]
    done = program.run(*words).expect(0)
    assert "roll had begun" in done.output
    assert effects(program) == ["old x", "old y", "old y", "old z", "new p", "new r"]
