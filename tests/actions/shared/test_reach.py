"""Looks at what a run needs: each kind really asked, each answer in words, no password in any."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from runbook_tui.actions.api import Job
from runbook_tui.actions.shared import reach, reach_kinds
from tests.harness import here
from tests.harness.http import Reply, serving
from tests.harness.postgres import Server
from tests.harness.sshd import Ssh


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no dead host."""
    monkeypatch.setattr(reach, "LIMIT", 60.0)
    monkeypatch.setattr(reach_kinds, "LIMIT", 60.0)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens on, and that nobody else is given meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def asked(cwd: Path, *needs: tuple[str, str, Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Return level, name and sentence of each answer."""
    named = [{"kind": kind, "target": target, "options": given} for kind, target, given in needs]
    options = {"needs": named}
    job = Job("plan", "preflight", 1, "preflight", options, str(cwd), str(cwd), "prod", "dana")
    finding = reach.probe(job, here.Here(cwd))
    return [(str(e.data["level"]), str(e.data["name"]), e.summary) for e in finding.evidence]


@pytest.mark.parametrize(
    ("has", "sign", "wanted", "fits"),
    [
        ("2.39.5", ">=", "2.30", True),
        ("2.39.5", ">=", "2.40", False),
        ("2.9", ">=", "2.10", False),
        ("15", ">=", "15.0", True),
        ("15.4", "==", "15", True),
        ("15.4", "==", "15.5", False),
        ("3.0", "<", "3", False),
        ("2.9.1", "<=", "2.9.1", True),
        ("2.9.1", ">", "2.9", True),
    ],
)
def test_versions_are_compared_as_numbers(has: str, sign: str, wanted: str, fits: bool) -> None:
    assert reach_kinds._fits(has, sign, wanted) is fits


def test_programs_and_directories(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = asked(
        tmp_path,
        ("program", "git", {"version": ">=1.0"}),
        ("program", "git", {"version": ">=99"}),
        ("program", "git", {"version": "recent"}),
        ("program", "no-such-tool", {"package": "no-such-package"}),
        ("directory", "new/below", {}),
        ("directory", "file/below", {}),
        ("nowhere", "prod", {}),
        ("planet", "mars", {}),
    )
    levels = [level for level, _, _ in found]
    assert levels == ["good", "blocks", "warns", "blocks", "good", "blocks", "blocks", "warns"]
    assert "needed is >=99" in found[1][2]
    assert found[4][2] == "will be made"


def test_servers_that_answer_and_a_port_where_nobody_does(
    tmp_path: Path, closed_port: int, postgres: Server, ssh: Ssh
) -> None:
    """All at once: what is dead delays and spoils nothing but its own line."""
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "origin")], check=True)
    known = {"host": vars_of(ssh["app-1"].host), "ssh_config": str(ssh.config(tmp_path / "ssh"))}
    unknown = {**known, "ssh_config": str(ssh.config(tmp_path / "other", known=""))}
    dead = f"127.0.0.1:{closed_port}"
    with serving() as web:
        web.reply = lambda request: Reply(503)
        found = asked(
            tmp_path,
            ("postgres", postgres.url(), {}),
            ("program", "pg_dump", {"database": postgres.url()}),
            ("postgres", f"postgresql://x:hunter22@{dead}/shop", {}),
            ("host", "app-1", known),
            ("host", "app-1", unknown),
            ("git", str(tmp_path / "origin"), {}),
            ("git", str(tmp_path / "nowhere"), {}),
            ("http", web.url, {}),
            ("http", f"http://{dead}/", {}),
            ("registry", f"{dead}/shop:v1", {"auth": {"username": "", "password": ""}}),
            ("smtp", dead, {"security": "none"}),
            ("docker", f"unix://{tmp_path}/no.sock", {}),
            ("s3", "s3://bucket/x", {"ca": str(tmp_path / "none"), "endpoint": f"http://{dead}"}),
        )
    levels = [level for level, _, _ in found]
    assert levels == [
        *("good", "good", "blocks"),
        *("good", "blocks"),
        *("good", "blocks"),
        *("warns", "warns"),
        *("blocks", "blocks", "blocks", "blocks"),
    ]
    assert found[0][1] == f"postgres at 127.0.0.1:{postgres.port} as postgres"
    assert found[2][1] == f"shop at {dead}"
    assert "The key of app-1 is unknown" in found[4][2]
    assert found[7][2] == "answers 503"
    assert found[9][1] == dead
    assert "hunter22" not in repr(found)


def vars_of(host: Any) -> dict[str, Any]:
    """Return a host as the order carries it."""
    return {"name": host.name, "user": host.user, "address": host.address, "port": host.port}


def test_what_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "LIMIT", 0.0)
    monkeypatch.setattr(reach, "GRACE", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        found = asked(tmp_path, ("smtp", place, {"security": "none"}))
        assert found == [("blocks", "", "did not answer within 0 s")]
        silent.accept()[0].close()
