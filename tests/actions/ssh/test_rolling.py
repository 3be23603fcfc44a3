"""Many hosts: batches, how many may fail, and which are tried again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from runbook_tui.actions.api import Host
from runbook_tui.actions.ssh.part import Part, State
from runbook_tui.actions.ssh.rolling import Rolling, size_of
from runbook_tui.actions.ssh.spec import SPEC, SshOptions
from tests.actions.ssh.acting import Step
from tests.harness.sshd import Ssh

HOSTS = [Host(f"web-{number}", None, f"web-{number}") for number in range(10)]


@pytest.mark.parametrize(
    ("batch", "count", "parallel", "size"),
    [
        (None, 9, False, 1),
        (4, 9, False, 4),
        ("25%", 10, False, 3),
        ("1%", 10, False, 1),
        ("100%", 7, False, 7),
        ("3", 9, False, 3),
        (None, 9, True, 9),
    ],
)
def test_the_size_of_a_batch(
    batch: int | str | None, count: int, parallel: bool, size: int
) -> None:
    assert size_of(batch, count, parallel=parallel) == size


def rolled(size: int, most: int | None, bad: set[str]) -> tuple[list[Part], list[tuple[int, int]]]:
    """Return the parts of ten hosts, and which batches were begun."""
    told: list[tuple[int, int]] = []

    def one(host: Host) -> Part:
        return Part(host.name, State.FAILED if host.name in bad else State.DONE)

    parts = Rolling(size, most, lambda *batch: told.append(batch)).run(HOSTS, one)
    assert [part.host for part in parts] == [host.name for host in HOSTS]
    return parts, told


def test_after_too_many_failures_no_further_host_is_begun() -> None:
    parts, told = rolled(2, 1, {"web-0", "web-3", "web-5"})
    states = [part.state for part in parts]
    assert states[:4] == [State.FAILED, State.DONE, State.DONE, State.FAILED]
    assert set(states[4:]) == {State.UNTRIED}
    assert told == [(1, 5), (2, 5)]
    parts, told = rolled(5, 3, {"web-0", "web-3", "web-5"})
    assert not [part for part in parts if part.state is State.UNTRIED]
    assert told == [(1, 2), (2, 2)]
    parts, _ = rolled(1, None, {host.name for host in HOSTS})
    assert {part.state for part in parts} == {State.FAILED}


def test_a_batch_runs_together_and_the_next_waits_for_all_of_it() -> None:
    barrier = threading.Barrier(5, timeout=60)
    running = 0
    most = 0
    lock = threading.Lock()

    def one(host: Host) -> Part:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        barrier.wait()
        with lock:
            running -= 1
        return Part(host.name, State.DONE)

    Rolling(5, 0, lambda number, count: None).run(HOSTS, one)
    assert most == 5


@pytest.mark.parametrize("batch", [0, -1, "0%", "101%", "half", "2 hosts"])
def test_a_batch_that_is_none_is_refused(batch: int | str) -> None:
    with pytest.raises(ValidationError, match="write a number of hosts, or a share"):
        SshOptions(script="true", hosts="web", batch=batch)


def test_the_order_is_said_and_said_once() -> None:
    with pytest.raises(ValidationError, match="leave it out, or batch"):
        SshOptions(script="true", hosts="web", batch=2, parallel=True)
    for given, words in ({"batch": "25%"}, "25% of them at once"), ({"batch": 3}, "3 at once"):
        rows = SPEC.describe({"script": "true", "hosts": "web", **given})
        assert rows[0].text == f"web, {words}"


def test_hosts_that_failed_are_tried_again_and_those_not_begun_for_the_first_time(
    ssh: Ssh, tmp_path: Path
) -> None:
    """Three hosts in batches of one, of which the second fails and the third is not begun."""
    script = (
        f"echo $RUNBOOK_HOST >>{tmp_path}/ran\n"
        f"[ -e {tmp_path}/mended ] || [ $RUNBOOK_HOST != app-2 ] || {{ echo broken; exit 3; }}"
    )
    step = Step(ssh, tmp_path, script, ["app-1", "app-2", "jump"], {"batch": 1})
    failed, here = step.fail()
    assert failed.sentence == (
        "The script ended with exit code 3 on app-2. It ended well on app-1. "
        "It was not tried on jump."
    )
    assert here.lines == ["batch 1/3", "batch 2/3"]
    assert here.hosts["jump"] == ["waiting"]
    (tmp_path / "mended").touch()
    done, here = step.run()
    assert (tmp_path / "ran").read_text().split() == ["app-1", "app-2", "app-2", "jump"]
    assert here.hosts["app-1"] == ["done"]
    assert done.evidence[0].summary == "app-1: exit code 0, in try 1"
    assert set(done.by_host) == {"app-1", "app-2", "jump"}
