"""Scripts on real hosts: what they print, hand on and leave, detached and attached."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from runbook_tui.actions.api import HERE, ActionFailed, Job, Outcome, Stopped
from runbook_tui.actions.ssh import part
from runbook_tui.actions.ssh.perform import perform
from tests.harness.here import Here, job, until
from tests.harness.sshd import Ssh

HOSTS = ("app-1", "app-2")


@pytest.fixture(params=[False, True], ids=["detached", "attached"], autouse=True)
def attached(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the scripts of a test run attached."""
    monkeypatch.setitem(MODE, "attached", request.param)
    return bool(request.param)


MODE = {"attached": False}


def own(order: Job) -> Job:
    """Return the order with an identity that no other test's has."""
    return replace(order, carries={"record": token_hex(8)})


def _perform(
    ssh: Ssh,
    here: Here,
    script: str,
    hosts: tuple[str, ...] = HOSTS,
    variables: Mapping[str, str] | None = None,
    **options: Any,
) -> Outcome:
    order = job(
        "ssh",
        {"script": script, "hosts": list(hosts), "connect_timeout": 60, **MODE, **options},
        cwd=here.directory,
        hosts=[ssh[name].host for name in hosts],
        variables=variables,
        ssh_config=ssh.config(here.directory / "ssh"),
    )
    return perform(own(order), here)


@pytest.mark.parametrize("parallel", [False, True])
def test_each_host_has_lines_outputs_and_a_result(ssh: Ssh, tmp_path: Path, parallel: bool) -> None:
    here = Here(tmp_path)
    script = (
        'echo "hello from ${SSH_CONNECTION% *}"; printf "\\303"; sleep 0.05; printf "\\251"\n'
        'echo "at=${SSH_CONNECTION% *}" >>"$RUNBOOK_OUTPUT"; echo same=1 >>"$RUNBOOK_OUTPUT"\n'
        'echo to stderr >&2; pwd; echo "folder ${RUNBOOK_OUTPUT%/*}"\n'
    )
    done = _perform(ssh, here, script, parallel=parallel, cwd="/usr", outputs=["at", "same"])
    for name in HOSTS:
        assert ssh[name].address in done.by_host[name]["at"]
        assert f"{name} | hello from" in here.text()
        assert f"{name} | to stderr\n" in here.text()
        assert f"{name} | é/usr\n" in here.text()
        assert list(dict.fromkeys(here.hosts[name])) == ["waiting", "running", "done"]
    assert done.outputs == {"same": "1"}
    assert [item.summary for item in done.evidence] == ["app-1: exit code 0", "app-2: exit code 0"]
    folder = re.search(r"app-1 . folder (.+)", here.text())
    assert folder
    assert not Path(folder[1]).exists()


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_values_are_inert_and_in_no_argument(ssh: Ssh, tmp_path: Path, shell: str) -> None:
    here = Here(tmp_path)
    hostile = '\'; touch "$PWNED" # `id` $(id)\n\\n\u00e9 \t*'
    script = (
        'printf "<%s>\\n" "${RUNBOOK_V_1}"; read -r line || echo no input\n'
        "tr '\\0' ' ' </proc/$$/cmdline; cat /proc/$PPID/cmdline\n"
    )
    values = {"RUNBOOK_V_1": hostile, "PWNED": str(tmp_path / "pwned")}
    _perform(ssh, here, script, ("app-1",), values, shell=shell)
    assert f"app-1 | <{hostile}>".replace("\n", "\napp-1 | ") in here.text()
    assert "app-1 | no input" in here.text()
    assert "touch" not in here.text().replace(hostile.split("\n")[0], "")
    assert not (tmp_path / "pwned").exists()


def test_secrets_lie_in_private_files_while_the_script_runs(ssh: Ssh, tmp_path: Path) -> None:
    here = Here(tmp_path)
    order = job(
        "ssh",
        {
            "script": 'stat -c %a "$TOKEN_FILE"; cat "$TOKEN_FILE"; echo; echo "$TOKEN_FILE"\n'
            'echo "$RUNBOOK_HOST $RUNBOOK_RUN $RUNBOOK_STEP"',
            "hosts": "app-1",
            "connect_timeout": 60,
            **MODE,
        },
        cwd=tmp_path,
        hosts=[ssh["app-1"].host],
        ssh_config=ssh.config(tmp_path / "ssh"),
    )
    perform(replace(own(order), secret_files={"TOKEN": "t0k'en\nof two lines"}), here)
    mode, first, second, path, about = here.text().replace("app-1 | ", "").splitlines()
    assert (mode, first, second) == ("600", "t0k'en", "of two lines")
    assert not Path(path).exists()
    assert about == "app-1 1123-k7f3 step"


def test_a_failure_keeps_the_script_from_the_hosts_after_it(ssh: Ssh, tmp_path: Path) -> None:
    here = Here(tmp_path)
    with pytest.raises(ActionFailed) as raised:
        _perform(ssh, here, "false | true\necho not reached\n", HOSTS)
    assert raised.value.sentence == (
        "The script ended with exit code 1 on app-1. It was not tried on app-2."
    )
    assert (raised.value.unknown, raised.value.effect) == (False, "unknown")
    assert here.hosts["app-2"] == ["waiting"]
    assert "not reached" not in here.text()


def test_in_parallel_every_host_is_heard(ssh: Ssh, tmp_path: Path) -> None:
    here = Here(tmp_path)
    script = f'case "$SSH_CONNECTION" in *{ssh["app-1"].address}*) exit 7;; esac\n'
    with pytest.raises(ActionFailed) as raised:
        _perform(ssh, here, script, parallel=True)
    assert raised.value.sentence == (
        "The script ended with exit code 7 on app-1. It ended well on app-2."
    )
    assert raised.value.exit_code is None
    assert set(raised.value.by_host) == {"app-2"}
    with pytest.raises(ActionFailed) as raised:
        _perform(ssh, here, "exit 7", parallel=True)
    assert raised.value.exit_code == 7


def test_a_host_that_cannot_be_reached_means_that_nothing_was_done(
    ssh: Ssh, tmp_path: Path
) -> None:
    here = Here(tmp_path)
    order = job(
        "ssh",
        {"script": "touch x", "hosts": "app-1"},
        cwd=tmp_path,
        hosts=[ssh["app-1"].host],
        ssh_config=ssh.config(tmp_path, known=""),
    )
    with pytest.raises(ActionFailed, match="The key of app-1 is unknown") as raised:
        perform(order, here)
    assert (raised.value.unknown, raised.value.effect) == (False, "none")


def test_stopping_ends_what_runs_on_the_host(
    ssh: Ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "GRACES", (1, 1))
    here = Here(tmp_path)
    pids = tmp_path / "pids"
    script = (
        f"trap '' INT; (trap '' INT TERM; echo $$ >{pids}; exec sleep 300) &\necho ready; sleep 300"
    )

    def stop() -> None:
        until(lambda: "ready" in here.text() and pids.exists())
        here.stop()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Stopped):
        _perform(ssh, here, script, ("app-1",))
    thread.join()
    assert not Path(f"/proc/{pids.read_text().strip()}").exists()


def test_outputs_that_were_not_declared_fail_the_step(ssh: Ssh, tmp_path: Path) -> None:
    with pytest.raises(ActionFailed, match="The output other is not declared"):
        _perform(
            ssh,
            Here(tmp_path),
            'echo other=1 >>"$RUNBOOK_OUTPUT"',
            ("app-1",),
            outputs={"pid": {"pattern": r"\d+"}},
        )


def test_each_host_sees_its_own_name_and_address(ssh: Ssh, tmp_path: Path) -> None:
    here = Here(tmp_path)
    values = {"RUNBOOK_V_1": f"{HERE}name", "RUNBOOK_V_2": f"{HERE}address"}
    _perform(ssh, here, "echo ${RUNBOOK_V_1} at ${RUNBOOK_V_2}", HOSTS, values)
    for name in HOSTS:
        assert f"{name} | {name} at {ssh[name].address}\n" in here.text()
