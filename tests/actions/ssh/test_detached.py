"""Detached scripts: started once, followed over lost links, and private on their host."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from runbook_tui.actions.api import ActionFailed, Stopped
from runbook_tui.actions.ssh import link, part
from runbook_tui.actions.ssh.perform import perform
from tests.actions.ssh.acting import Step
from tests.harness.here import until
from tests.harness.sshd import Ssh

SESSION = "ps -o ppid= -p $PPID"


def counting(tmp_path: Path, rest: str) -> str:
    """Return a script that notes each of its executions."""
    return f"echo ran >>{tmp_path}/ran\n{rest}"


def ran(tmp_path: Path) -> int:
    """Return how often a counting script was executed."""
    file = tmp_path / "ran"
    return len(file.read_text().splitlines()) if file.exists() else 0


def drop(connection_pid: Path) -> None:
    """Kill the sshd process that serves the connection whose pid the file holds."""
    os.kill(int(connection_pid.read_text()), 9)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "FIRST", 0.1)


def test_a_background_process_does_not_hold_the_step(ssh: Ssh, tmp_path: Path) -> None:
    _, here = Step(ssh, tmp_path, "sleep 300 & echo $!", ["app-1"]).run()
    pid = here.text().split("app-1 | ")[1].strip()
    Path(f"/proc/{pid}").stat()
    here.run(["kill", pid])


def test_the_record_is_private_and_goes_when_it_is_adopted(ssh: Ssh, tmp_path: Path) -> None:
    script = 'd=${RUNBOOK_OUTPUT%/*}; stat -c %a "$d" "$d/.."; ls "$d"; cat "$d/memory"; umask'
    step = Step(ssh, tmp_path, script, ["app-1"], variables={"RUNBOOK_V_1": "hush"})
    _, here = step.run()
    own, base, *files, memory, mask = here.text().replace("app-1 | ", "").splitlines()
    assert (own, base) == ("700", "700")
    assert {"guard", "main", "script", "runner"} <= set(files)
    assert "rc" not in files
    assert memory.startswith("/dev/shm/runbook.")
    assert not Path(memory).exists()
    assert mask != "0077"
    assert step.records("app-1") == []


def test_a_killed_script_has_an_exit_code_and_a_killed_record_has_none(
    ssh: Ssh, tmp_path: Path
) -> None:
    failed, _ = Step(ssh, tmp_path / "a", "kill -9 $$", ["app-1"]).fail()
    assert (failed.exit_code, failed.unknown) == (137, False)
    step = Step(ssh, tmp_path / "b", "kill -9 $PPID; echo last words", ["app-1"])
    failed, here = step.fail()
    assert failed.unknown
    assert "ended without an exit code" in failed.sentence
    assert "app-1 | last words" in here.text()
    assert step.look().summary == failed.sentence
    assert step.records("app-1") == []
    assert step.look().summary == "The script on app-1 left no exit code."


def test_a_connection_that_dies_is_made_again_and_nothing_is_lost(ssh: Ssh, tmp_path: Path) -> None:
    """The sshd process of the session is killed in the middle of a noisy script."""
    go = tmp_path / "go"
    script = counting(
        tmp_path,
        "for i in $(seq 2000); do echo line $i; echo err $i >&2; done\n"
        f"until [ -e {go} ]; do sleep 0.05; done\n"
        "for i in $(seq 2001 4000); do echo line $i; done\n",
    )
    step = Step(ssh, tmp_path, script, ["app-1"])
    order, here = step.begin()
    done: list[object] = []
    act = threading.Thread(target=lambda: done.append(perform(order, here)))
    act.start()
    until(lambda: "line 1999" in here.text())
    for pid in serving(ssh["app-1"].process):
        os.kill(pid, 9)
    go.touch()
    act.join(60)
    assert done
    assert ran(tmp_path) == 1
    lines = [line for line in here.text().splitlines() if line.startswith("app-1 | ")]
    assert [line for line in lines if "line" in line] == [
        f"app-1 | line {number}" for number in range(1, 4001)
    ]
    assert [line for line in lines if "err" in line] == [
        f"app-1 | err {number}" for number in range(1, 2001)
    ]
    assert "app-1 ~ link lost, reconnecting 1/" in here.text()
    assert "app-1 ~ the link is back" in here.text()
    assert "lost" in here.hosts["app-1"]


def serving(server: object) -> list[int]:
    """Return the processes of an sshd that serve connections."""
    from runbook_tui import proc

    pid = getattr(server, "pid", 0)
    found = [mark.pid for mark in proc.descendants([pid])]
    return [one for one in found if Path(f"/proc/{one}/comm").read_text().startswith("sshd")]


def test_a_host_that_stays_silent_makes_the_outcome_unknown(ssh: Ssh, tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = counting(tmp_path, f"echo begun; until [ -e {go} ]; do sleep 0.05; done; echo done")
    step = Step(ssh, tmp_path, script, ["app-1"], {"reconnect": "500ms"})
    order, here = step.begin()
    host = ssh["app-1"]
    port = host.port
    failures: list[ActionFailed] = []

    def act() -> None:
        try:
            perform(order, here)
        except ActionFailed as failure:
            failures.append(failure)

    thread = threading.Thread(target=act)
    thread.start()
    until(lambda: "begun" in here.text())
    pids = serving(host.process)
    host.stop()
    for pid in pids:
        os.kill(pid, 9)
    thread.join(60)
    assert failures[0].unknown
    assert "was lost while the script ran there, and did not come back in 0.50 s" in (
        failures[0].sentence
    )
    host.start(port)
    assert step.look().verdict == "running"
    go.touch()
    until(lambda: step.look().verdict == "present")
    assert ran(tmp_path) == 1
    assert step.records("app-1") == []


def test_a_record_that_was_removed_leaves_the_outcome_unknown(ssh: Ssh, tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = f'rm -r "${{RUNBOOK_OUTPUT%/*}}"; until [ -e {go} ]; do sleep 0.05; done'
    step = Step(ssh, tmp_path, script, ["app-1"])
    failed, _ = step.fail()
    go.touch()
    assert failed.unknown
    assert "The record of the script on app-1 is gone" in failed.sentence
    assert step.look().verdict == "unknown"


@pytest.mark.parametrize(
    ("owner", "mode", "words"),
    [
        (65534, 0o700, "belongs to somebody else (user 65534)"),
        (None, 0o755, "is open to others (drwxr-xr-x): chmod 700 it"),
    ],
)
def test_a_folder_that_is_not_ours_alone_is_refused(
    ssh: Ssh, tmp_path: Path, owner: int | None, mode: int, words: str
) -> None:
    base = ssh["app-1"].home / "state" / "runbook-remote"
    base.mkdir(parents=True, exist_ok=True)
    kept = base.stat()
    base.chmod(mode)
    if owner is not None:
        os.chown(base, owner, owner)
    try:
        step = Step(ssh, tmp_path, counting(tmp_path, ""), ["app-1"])
        failed, _ = step.fail()
    finally:
        os.chown(base, kept.st_uid, kept.st_gid)
        base.chmod(stat.S_IRWXU)
    assert failed.sentence.startswith("app-1 has no private place for the script: ")
    assert words in failed.sentence
    assert (failed.effect, failed.unknown) == ("none", False)
    assert ran(tmp_path) == 0
    assert step.look().verdict == "absent"


def test_stopping_during_a_lost_link_ends_the_script_when_the_host_answers(
    ssh: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "GRACES", (1, 1))
    monkeypatch.setattr(link, "FIRST", 60.0)
    pid = tmp_path / "pid"
    step = Step(ssh, tmp_path, f"echo $$ >{pid}; echo begun; sleep 300", ["app-1"])
    order, here = step.begin()

    def stop() -> None:
        until(lambda: "begun" in here.text())
        for one in serving(ssh["app-1"].process):
            os.kill(one, 9)
        until(lambda: "reconnecting 1/" in here.text())
        here.stop()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Stopped):
        perform(order, here)
    thread.join()
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()
