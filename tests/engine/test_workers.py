"""The pool: workers outlive whoever started them, and are stopped with all that they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runbook_tui import proc
from runbook_tui.engine.ports import WorkerStartError
from runbook_tui.engine.workers import Workers
from state.stores.attempt_dir import AttemptDir
from state.stores.machine import ProcessMark, process_mark
from tests.harness.attempts import QUICK, Attempts, result, said
from tests.harness.processes import until

DEAF = "trap '' INT TERM HUP;"
"""A script that begins like this is ended by nothing but SIGKILL; its children as well."""


def bash(script: str) -> dict[str, object]:
    return {"do": "run", "argv": ["bash", "-c", script]}


def worker_of(attempt: AttemptDir) -> ProcessMark:
    until(lambda: attempt.worker() is not None, "the claim")
    mark = attempt.worker()
    assert mark is not None
    return mark


def pid_in(path: Path) -> ProcessMark:
    """Wait until a script has written a running process's pid to a file."""
    until(lambda: path.exists() and path.read_text().endswith("\n"), f"a pid in {path}")
    mark = process_mark(int(path.read_text()))
    assert mark is not None
    return mark


def test_a_stop_lets_the_command_tidy_up_and_gives_the_reason(attempts: Attempts) -> None:
    script = "trap 'sleep 0.1; echo tidied; exit 3' INT; echo ready; sleep 1000"
    attempt = attempts.start(bash(script))
    said(attempt, "ready")

    attempts.pool.stop(str(attempt.path), "the wrong version")

    found = result(attempt)
    assert (found.status, found.effect) == ("stopped", "unknown")
    assert found.reason == "Stopped: the wrong version."
    assert attempt.output.read_text() == "ready\ntidied\n"
    until(lambda: not attempt.live().alive, "the end of all processes")


def test_a_stop_leaves_no_grandchild_that_forked_twice_into_its_own_session(
    attempts: Attempts,
) -> None:
    forever = "while :; do sleep 1000; done"
    detached = f"(setsid bash -c 'echo $$ > grandchild; {forever}' &)"
    attempt = attempts.start(bash(f"{DEAF} {detached}; {forever}"), graces=QUICK)
    mark = pid_in(attempts.base / "grandchild")
    worker = worker_of(attempt)
    assert mark in proc.descendants([worker.pid])

    attempts.pool.stop(str(attempt.path), "enough", QUICK)

    assert result(attempt).reason == "Stopped: enough."
    assert not mark.alive()
    assert proc.descendants([worker.pid]) == []
    until(lambda: not attempt.live().alive, "the end of all processes")


def test_a_step_that_ran_out_of_time_is_stopped_and_says_so(attempts: Attempts) -> None:
    found, attempt = attempts.perform(bash(f"{DEAF} sleep 1000"), graces=QUICK, timeout=0.3)

    assert (found.status, found.cause, found.effect) == ("failed", "timeout", "unknown")
    assert found.reason == "It ran out of its time of 0.30 s and was stopped."
    until(lambda: not attempt.live().alive, "the end of all processes")


def test_an_action_that_waits_or_was_not_yet_begun_is_stopped(attempts: Attempts) -> None:
    waiting = attempts.start({"do": "wait"})
    said(waiting, "waiting")
    early = attempts.directory()
    early.ask_stop("before it began")
    attempts.pool.start(attempts.order(early, {"do": "effect"}))

    attempts.pool.stop(str(waiting.path), "enough")

    assert result(waiting).reason == "Stopped: enough."
    said(waiting, "told to stop")
    assert result(early).reason == "Stopped before it began: before it began"
    assert result(early).effect == "none"
    assert not (attempts.base / "effect").exists()


def test_what_ended_well_is_done_although_a_stop_was_asked_for(attempts: Attempts) -> None:
    script = "trap 'exit 0' INT; echo ready; sleep 1000"
    attempt = attempts.start(bash(script))
    said(attempt, "ready")

    attempts.pool.stop(str(attempt.path), "too late")

    assert result(attempt).status == "succeeded"


def test_an_action_that_does_not_react_is_ended_by_force(attempts: Attempts) -> None:
    attempt = attempts.start({"do": "stay"}, graces=QUICK)
    said(attempt, "staying")

    attempts.pool.stop(str(attempt.path), "enough", QUICK)

    found = result(attempt)
    assert (found.status, found.effect) == ("stopped", "unknown")
    assert str(found.reason).endswith("did not react to being stopped and was ended by force.")
    until(lambda: not attempt.live().alive, "the end of the worker")


def test_a_dead_workers_command_holds_the_lock_and_can_be_stopped(attempts: Attempts) -> None:
    attempt = attempts.start(bash(f"{DEAF} echo $$ > main; while :; do sleep 1000; done"))
    main = pid_in(attempts.base / "main")
    until(lambda: attempt.main() == main, "the record of the main process")
    os.kill(worker_of(attempt).pid, signal.SIGKILL)
    until(lambda: not worker_of(attempt).alive(), "the worker's end")
    assert attempt.live().lock_held
    assert attempt.live().main_alive
    assert attempt.read_result() is None

    attempts.pool.stop(str(attempt.path), "its worker died", QUICK)

    until(lambda: not attempt.live().alive, "the end of the command")
    assert not main.alive()
    assert attempt.read_result() is None


def test_a_look_at_the_lock_is_not_mistaken_for_a_process_of_the_attempt(
    attempts: Attempts,
) -> None:
    attempt = attempts.start({"do": "wait"})
    said(attempt, "waiting")
    with (attempt.path / "lock").open("rb") as looking:
        code = "import fcntl, sys; print(1, flush=True); sys.stdin.read()"
        looker = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, pass_fds=[looking.fileno()]
        )
        try:
            holders = proc.lock_holders(*attempt.lock_identity())
        finally:
            looker.communicate()

    assert holders == [worker_of(attempt)]
    attempts.pool.stop(str(attempt.path), "enough")
    assert result(attempt).status == "stopped"


def test_a_hang_up_does_not_reach_a_worker(attempts: Attempts) -> None:
    attempts.base.mkdir()
    os.mkfifo(attempts.base / "pipe")
    attempt = attempts.start(bash("echo ready; cat < pipe; echo on"))
    said(attempt, "ready")
    os.kill(worker_of(attempt).pid, signal.SIGHUP)
    (attempts.base / "pipe").write_text("go\n")

    assert result(attempt).status == "succeeded"
    assert attempt.output.read_text() == "ready\ngo\non\n"


def test_another_helper_takes_over_when_one_was_killed(attempts: Attempts) -> None:
    server = attempts.pool._server
    assert server is not None
    server.kill()
    server.wait()

    found, _ = attempts.perform({"do": "effect"})

    assert found.status == "succeeded"
    assert attempts.pool._server is not server


def test_when_no_worker_can_be_started_none_ever_acts(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    attempt = attempts.directory()
    pool = Workers()

    with pytest.raises(WorkerStartError, match="No worker could be started: the helper process"):
        pool.start(attempts.order(attempt, {"do": "effect"}))

    assert attempt.claimed() == "void"
    pool.close()


OWNER = """
import os, signal, sys
from pathlib import Path
from runbook_tui.engine.workers import Workers
from tests.harness.attempts import Attempts

attempts = Attempts(Workers(), Path(sys.argv[1]))
script = "echo ready; cat < go; echo finished"
attempt = attempts.directory()
os.mkfifo(attempts.base / "go")
order = attempts.order(attempt, {"do": "run", "argv": ["bash", "-c", script]})
attempts.pool.start(order)
print(attempts.pool._server.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_worker_outlives_the_program_and_the_helper_that_started_it(
    attempts: Attempts, repository: Path
) -> None:
    base = attempts.base / "other"
    owner = subprocess.run(
        [sys.executable, "-c", OWNER, str(base)], cwd=repository, stdout=subprocess.PIPE
    )
    assert owner.returncode == -signal.SIGKILL
    server = int(owner.stdout)

    until(lambda: process_mark(server) is None, "the end of the helper")
    attempt = AttemptDir(base / "step.1")
    said(attempt, "ready")
    assert attempt.live().alive
    (base / "go").write_text("on\n")

    assert result(attempt).status == "succeeded"
    assert attempt.output.read_text() == "ready\non\nfinished\n"


def test_twenty_attempts_at_once_each_get_their_own_worker(attempts: Attempts) -> None:
    started = [attempts.start(bash(f"echo {number}")) for number in range(20)]

    for number, attempt in enumerate(started):
        assert result(attempt).status == "succeeded"
        assert attempt.output.read_text() == f"{number}\n"
