"""A worker that is killed anywhere in an `ssh` step: one execution, all output, its exit code."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from runbook_tui import proc
from runbook_tui.engine.workers import Workers
from state.stores.attempt_dir import AttemptDir
from state.stores.output import OutputIndex
from state.stores.result import Result
from tests.actions.ssh.test_detached import ran
from tests.harness.actions import begin, perform
from tests.harness.attempts import Attempts, everything
from tests.harness.processes import until
from tests.harness.sshd import Ssh

LINES = 300


@pytest.fixture(scope="module")
def pool() -> Iterator[Workers]:
    with closing(Workers()) as workers:
        yield workers


class Step:
    """One step on hosts, each try in a worker process of its own."""

    def __init__(self, ssh: Ssh, pool: Workers, base: Path, hosts: tuple[str, ...]) -> None:
        self.base = base
        self.places = [ssh[name].home / "state" / "runbook-remote" for name in hosts]
        self.before = set(self.records())
        folder = base / "attempts"
        folder.mkdir(parents=True)
        self.attempts = Attempts(pool, folder)
        self.go = base / "go"
        self.options: dict[str, Any] = {
            "script": f"trap 'exit 7' INT; echo $RUNBOOK_HOST >>{base}/ran\n"
            f"for i in $(seq {LINES}); do echo line $i; echo err $i >&2; done\n"
            f"until [ -e {self.go} ] || [ -e {self.go}-$RUNBOOK_HOST ]; do sleep 0.05; done\n"
            f"echo s3cret-of-ours; printf 'no end'; echo at=$RUNBOOK_HOST >>$RUNBOOK_OUTPUT\n"
            f"[ ! -e {base}/fail-$RUNBOOK_HOST ] || exit 9",
            "hosts": list(hosts),
            "outputs": ["at"],
            "connect_timeout": 60,
            "parallel": True,
        }
        self.given: dict[str, Any] = {
            "hosts": tuple(ssh[name].host for name in hosts),
            "ssh_config": str(ssh.config(base / "ssh")),
            "secrets": ("s3cret-of-ours",),
        }
        self.previous: list[str] = []

    def begin(self, fault: str | None = None) -> AttemptDir:
        """Start the next try; with `fault` it dies there."""
        attempt = begin(
            self.attempts,
            "ssh",
            self.options,
            fault=fault and f"{fault}:kill",
            carries={"record": f"token-{len(self.previous)}-{self.base}"},
            previous=tuple(self.previous),
            **self.given,
        )
        self.previous.append(str(attempt.path))
        return attempt

    def look(self, number: int = 1) -> Result:
        """Probe the last try."""
        found, _ = perform(
            self.attempts,
            "ssh",
            self.options,
            mode="probe",
            carries={"record": f"token-{len(self.previous) - 1}-{self.base}"},
            previous=tuple(self.previous),
            **self.given,
        )
        return found

    def records(self) -> list[Path]:
        """Return the records on the hosts in which something ran."""
        return [
            record
            for place in self.places
            if place.exists()
            for record in place.iterdir()
            if (record / "out").exists()
        ]

    def ran(self) -> int:
        """Return how often the script was executed."""
        return ran(self.base)


@pytest.fixture
def steps(ssh: Ssh, pool: Workers, tmp_path: Path) -> Iterator[Mapping[str, Step]]:
    both = Step(ssh, pool, tmp_path / "two", ("app-1", "app-2"))
    yield {"two": both}
    both.go.touch()
    both.attempts.end()


@pytest.fixture
def step(steps: Mapping[str, Step]) -> Step:
    return steps["two"]


def gone(attempt: AttemptDir) -> bool:
    """Whether the worker has claimed and is no more."""
    return attempt.claimed() is not None and not attempt.live().alive


def ended(attempt: AttemptDir) -> Result:
    """Wait for a try's result."""
    until(lambda: attempt.read_result() is not None, "the result")
    result = attempt.read_result()
    assert isinstance(result, Result)
    return result


def output(attempt: AttemptDir, host: str) -> tuple[list[str], list[str]]:
    """Return a host's lines on standard output and standard error."""
    index = OutputIndex(attempt)
    found: dict[str, list[str]] = {"stdout": [], "stderr": []}
    offset = 0
    for line in attempt.output.read_bytes().splitlines(keepends=True):
        if line.startswith(f"{host} | ".encode()):
            text = line.decode().removeprefix(f"{host} | ").rstrip("\n")
            found[index.stream_of(offset)].append(text)
        offset += len(line)
    index.close()
    return found["stdout"], found["stderr"]


def complete(attempt: AttemptDir) -> None:
    """Insist on all of the output of both hosts, in order, each line once."""
    for host in ("app-1", "app-2"):
        out, err = output(attempt, host)
        assert out == [*(f"line {one}" for one in range(1, LINES + 1)), "***", "no end"]
        assert err == [f"err {one}" for one in range(1, LINES + 1)]


def test_killed_before_the_guard_it_has_not_run_and_never_will(step: Step) -> None:
    attempt = step.begin("ssh.guard")
    until(lambda: gone(attempt), "the worker's end")
    found = step.look()
    assert (found.verdict, step.ran()) == ("absent", 0)
    step.go.touch()
    again = step.begin()
    ended(again)
    assert step.ran() == 2
    complete(again)


@pytest.mark.parametrize("point", ["ssh.started", "ssh.ended", "ssh.adopted", "worker.after-act"])
def test_killed_later_it_has_run_once_and_all_is_adopted(step: Step, point: str) -> None:
    if point != "ssh.started":
        step.go.touch()
    attempt = step.begin(point)
    until(lambda: gone(attempt), "the worker's end")
    if point == "ssh.started":
        # The other host may not have come so far: whoever looks first decides that.
        until(lambda: step.look().verdict in ("running", "absent", "partial"))
    step.go.touch()
    found = settled(step)
    while found.verdict == "partial":
        # A host on which it had not begun: the next try does only that one.
        ended(step.begin())
        found = settled(step)
    assert found.verdict == "present", found
    assert found.by_host == {"app-1": {"at": "app-1"}, "app-2": {"at": "app-2"}}
    assert step.ran() == 2
    assert b"s3cret" not in everything(step.base / "attempts")
    # A folder that was being made when it was killed may come up late: nothing ran there.
    assert set(step.records()) <= step.before


def settled(step: Step) -> Result:
    """Look until nothing runs any more."""
    seen: list[Result] = []

    def over() -> bool:
        seen.append(step.look())
        return seen[-1].verdict != "running"

    until(over, "the end of the scripts")
    return seen[-1]


def test_killed_in_the_middle_the_log_is_completed_as_it_grows(step: Step) -> None:
    attempt = step.begin()
    until(lambda: f"app-1 | line {LINES}".encode() in attempt.output.read_bytes())
    until(lambda: f"app-2 | line {LINES}".encode() in attempt.output.read_bytes())
    worker = attempt.worker()
    assert worker is not None
    proc.send(worker, SIGKILL)
    until(lambda: gone(attempt), "the worker's end")
    # As if the kill had cut a line short, and lost what came after it.
    whole = attempt.output.read_bytes()
    place = whole.index(b"app-1 | line 200\n") + len(b"app-1 | li")
    with attempt.output.open("r+b") as log:
        log.truncate(place)
    assert step.look().verdict == "running"
    assert b"app-1 | line 200\n" in attempt.output.read_bytes()
    (step.base / "fail-app-2").touch()
    step.go.touch()
    found = settled(step)
    complete(attempt)
    own: Any = found.detail["ended"]
    assert (own["status"], own["exit_code"]) == ("failed", None)
    assert found.reason == ("The script ended with exit code 9 on app-2. It ended well on app-1.")
    assert step.ran() == 2


def test_a_look_stops_what_a_person_wants_stopped(step: Step) -> None:
    attempt = step.begin()
    until(lambda: step.ran() == 2, "both scripts")
    worker = attempt.worker()
    assert worker is not None
    proc.send(worker, SIGKILL)
    until(lambda: gone(attempt), "the worker's end")
    assert step.look().verdict == "running"
    attempt.ask_stop("a person said so")
    found = step.look()
    assert found.verdict == "unknown"
    own: Any = found.detail["ended"]
    assert (own["status"], own["exit_code"]) == ("failed", 7)
    step.go.touch()
    assert "s3cret" not in attempt.output.read_text()
    assert "***" not in attempt.output.read_text()


def test_only_the_host_that_failed_is_tried_again(step: Step) -> None:
    (step.base / "fail-app-2").touch()
    step.go.touch()
    ended(step.begin())
    (step.base / "fail-app-2").unlink()
    result = ended(step.begin())
    assert result.by_host == {"app-1": {"at": "app-1"}, "app-2": {"at": "app-2"}}
    assert step.base.joinpath("ran").read_text().split().count("app-1") == 1
    assert step.ran() == 3
    assert [item["summary"] for item in result.evidence] == [
        "app-1: exit code 0, in try 1",
        "app-2: exit code 0",
    ]
    # All of it was done, so whoever tries again wants all of it again.
    ended(step.begin())
    assert step.ran() == 5


def test_a_try_after_an_unknown_one_awaits_what_still_runs(step: Step) -> None:
    first = step.begin()
    until(lambda: step.ran() == 2, "both scripts")
    worker = first.worker()
    assert worker is not None
    proc.send(worker, SIGKILL)
    until(lambda: gone(first), "the worker's end")
    threading.Timer(0.3, step.go.touch).start()
    second = step.begin()
    ended(second)
    assert step.ran() == 2
    complete(second)
    assert "app-1 ~ the script of try" in second.output.read_text()
