"""The 25 nastiest cases: each has its tests (`nastiest.tsv` names them), the last of them here."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runbook_tui import exits
from state.stores.machine import process_start
from tests.crash.servers import Servers
from tests.crash.worlds.commands import Run, Ssh
from tests.harness.program import Program, step

TABLE = Path(__file__).with_name("nastiest.tsv")


def _rows() -> list[tuple[int, str, str]]:
    lines = [line for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return [(int(number), case, test) for number, case, test in map(_cells, lines)]


def _cells(line: str) -> tuple[str, str, str]:
    number, case, test = line.split("\t")
    return number, case, test


def test_every_case_has_tests_and_every_named_test_is_there(repository: Path) -> None:
    assert {number for number, _, _ in _rows()} == {*range(1, 26)}
    for _, case, test in _rows():
        file, _, name = test.partition("::")
        text = (repository / file).read_text()
        assert re.search(rf"^ *(async )?def {re.escape(name.split('[')[0])}\(", text, re.M), case


def test_an_intent_that_cannot_be_synced_starts_nothing(tmp_path: Path) -> None:
    with Servers() as servers:
        world = Run(servers, tmp_path / "w")
        program = Program(world.state, world.work, {"PYTHONPATH": str(Path.cwd())})
        done = subprocess.run(
            [sys.executable, "-m", "tests.crash.failing_disk", *world.command(None)],
            cwd=world.work,
            env=program.environment({}),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == exits.STORE, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert world.facts() == {"lines": []}
        (run,) = program.runs()
        program.run("resume", run["run"], "--headless", "--yes").expect(exits.DONE)
        assert world.facts() == {"lines": ["done"]}


class Endless(Ssh):
    """A script that says who it is and does not end by itself."""

    limit = 6

    def options(self) -> dict[str, object]:
        script = f'echo "$$" >> {self.home}/pids; sleep 1000'
        ssh = {"hosts": "app", "script": script, "parallel": True}
        return {"ssh": ssh, "timeout": f"{self.limit}s"}


class LongerEndless(Endless):
    """The same, for a busy machine on which it has not begun in time."""

    limit = 20


class LongestEndless(Endless):
    """The same, for a very busy one."""

    limit = 60


@pytest.mark.timeout(400)
def test_a_script_that_ran_out_of_time_is_ended_on_its_hosts(tmp_path: Path) -> None:
    with Servers() as servers:
        for kind in (Endless, LongerEndless, LongestEndless):
            world = kind(servers, tmp_path / kind.__name__)
            program = Program(world.state, world.work)
            done = program.run(*world.command(None))
            assert done.code in (exits.FAILED, exits.WAITS), done.output
            said = world.home / "pids"
            pids = [int(line) for line in said.read_text().split()] if said.exists() else []
            assert [pid for pid in pids if process_start(pid) is not None] == []
            if len(pids) == 2:
                break
        assert len(pids) == 2, done.output
        (attempt,) = step(program.show(program.runs()[0]["run"]), "effect")["attempts"]
        assert attempt["status"] in ("failed", "unknown")


@pytest.mark.timeout(300)
def test_what_never_answers_takes_no_longer_than_it_may(tmp_path: Path) -> None:
    """A host and a database that take a connection and say nothing, as behind a black hole."""
    with Servers() as servers, socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        key = servers.ssh["app-1"].known_line().split(" ", 1)[1]
        config = servers.ssh.config(tmp_path / "ssh", known=f"[127.0.0.1]:{port} {key}")
        file = tmp_path / "silent.yaml"
        file.write_text(
            f"""\
runbook: Silent
environments: {{test: {{hosts: {{app: ["root@127.0.0.1:{port}"]}}, ssh_config: {config}}}}}
phases:
  - phase: Only
    steps:
      - id: both
        parallel:
          - {{id: host, ssh: {{hosts: app, script: "true", connect_timeout: 2}}}}
          - id: database
            sql: {{query: select 1, database: "postgresql://x@127.0.0.1:{port}/x",
                  connect_timeout: 2s}}
"""
        )
        program = Program(tmp_path / "state", tmp_path)
        began = time.monotonic()
        program.run("run", str(file), "-e", "test", "--headless").expect(exits.FAILED)
        assert time.monotonic() - began < 100
        shown = program.show(program.runs()[0]["run"])
        for id_ in ("host", "database"):
            (attempt,) = step(shown, id_)["attempts"]
            assert attempt["status"] == "failed", attempt["reason"]
