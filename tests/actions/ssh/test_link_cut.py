"""The link is cut in the middle of a step on three hosts: one execution each, all of the output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

import pytest
import yaml

from runbook_tui import proc
from state.stores.attempt_dir import AttemptDir
from tests.harness.netns import Network, network
from tests.harness.processes import until
from tests.harness.program import Program, step
from tests.harness.sshd import Ssh, ssh_hosts

HOSTS = ("web-1", "web-2", "web-3")
LINES = 400
ALIVE = ("Host *", "ServerAliveInterval 1", "ServerAliveCountMax 2")


@pytest.fixture(scope="module")
def link() -> Iterator[Network]:
    with network(len(HOSTS)) as made:
        yield made


@pytest.fixture(scope="module")
def far(link: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ssh]:
    """Three hosts at the other end of the link."""
    home = tmp_path_factory.mktemp("far")
    with ssh_hosts(home, HOSTS, link.network, link.within) as hosts:
        yield hosts


class Run:
    """A run of one `ssh` step on all of the hosts, by the real program."""

    def __init__(self, far: Ssh, base: Path) -> None:
        self.base = base
        self.go = base / "go"
        self.program = Program(base / "state", base)
        script = (
            f"echo $RUNBOOK_HOST >>{base}/ran\n"
            f"for i in $(seq {LINES}); do\n"
            f"  echo line $i; echo err $i >&2\n"
            f"  if [ $i = 100 ]; then until [ -e {self.go} ]; do sleep 0.05; done; fi\n"
            "done\n"
            "echo at=$RUNBOOK_HOST >>$RUNBOOK_OUTPUT\n"
        )
        inventory = [f"{host.host.user}@{host.address}:{host.port}" for host in far.hosts]
        settings = far.config(base / "ssh", *ALIVE)
        place = {"hosts": {"web": inventory}, "ssh_config": str(settings)}
        ssh = {"hosts": "web", "parallel": True, "script": script, "outputs": ["at"]}
        runbook = {
            "runbook": "Far away",
            "version": 1,
            "environments": {"far": place},
            "phases": [{"phase": "Only", "steps": [{"id": "far", "ssh": ssh}]}],
        }
        (base / "far.yaml").write_text(yaml.safe_dump(runbook))
        self.command = ("run", "far.yaml", "-e", "far", "--headless")

    def attempt(self) -> AttemptDir:
        """Return the directory of the only attempt."""
        logs = (self.base / "state" / "runs").rglob("output.log")
        (found,) = (log.parent for log in logs if "looks" not in log.parts)
        return AttemptDir(found)

    def log(self) -> str:
        """Return its log so far."""
        with suppress(ValueError):
            return self.attempt().output.read_text()
        return ""

    def in_the_middle(self) -> bool:
        """Whether all three wait in the middle."""
        return self.log().count("| line 100\n") == len(HOSTS)

    def judged(self) -> None:
        """Insist on one execution a host and all of its output, in order."""
        ran = (self.base / "ran").read_text().split()
        assert len(ran) == len(set(ran)) == len(HOSTS)
        for host in set(ran):
            said = [line for line in self.log().splitlines() if line.startswith(f"{host} | ")]
            out = [line for line in said if " | line " in line]
            err = [line for line in said if " | err " in line]
            assert out == [f"{host} | line {number}" for number in range(1, LINES + 1)]
            assert err == [f"{host} | err {number}" for number in range(1, LINES + 1)]
            assert len(said) == 2 * LINES


@pytest.fixture
def run(far: Ssh, link: Network, tmp_path: Path) -> Iterator[Run]:
    made = Run(far, tmp_path)
    yield made
    made.go.touch()
    link.mend()


@pytest.mark.timeout(300)
def test_a_step_goes_on_by_itself_when_the_link_is_back(run: Run, link: Network) -> None:
    started = run.program.start(*run.command)
    try:
        until(run.in_the_middle, "the middle of the step")
        link.cut()
        run.go.touch()  # the scripts go on while nobody hears them
        lost = "link lost, reconnecting"
        until(lambda: all(f"{run_host} ~ {lost}" in run.log() for run_host in hosts(run)))
        link.mend()
        said, _ = started.communicate(timeout=120)
    finally:
        started.kill()
    assert started.returncode == 0, said
    run.judged()
    (listed,) = run.program.runs()
    ended = step(run.program.show(listed["run"]), "far")
    assert len(ended["attempts"]) == 1
    assert not ended["adopted"]


def hosts(run: Run) -> set[str]:
    """Return the hosts as the log names them."""
    return set((run.base / "ran").read_text().split())


@pytest.mark.timeout(300)
def test_killed_during_the_cut_it_is_adopted_by_the_next_session(run: Run, link: Network) -> None:
    started = run.program.start(*run.command)
    try:
        until(run.in_the_middle, "the middle of the step")
        link.cut()
    finally:
        started.kill()
        started.communicate()
    attempt = run.attempt()
    worker = attempt.worker()
    assert worker is not None
    proc.send(worker, SIGKILL)
    until(lambda: not attempt.live().alive, "the worker's end")
    run.go.touch()
    link.mend()
    (listed,) = run.program.runs()
    run.program.run("resume", listed["run"], "--headless").expect(0)
    run.judged()
    ended = step(run.program.show(listed["run"]), "far")
    assert (ended["status"], ended["adopted"], len(ended["attempts"])) == ("succeeded", True, 1)
    assert len(ended["attempts"][0]["evidence"]) == len(HOSTS)
