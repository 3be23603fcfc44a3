"""What a plan needs, each once and under a name without secrets; and what came of the looks."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runbook_tui.definition.plan import Plan, PlanHost, SecretSource, Undo, Verify
from runbook_tui.engine import preview
from runbook_tui.engine.preflight import Check, collect, preflight
from runbook_tui.engine.repository import Checkout
from runbook_tui.engine.workers import Workers
from runbook_tui.secrets import SecretError
from tests.harness.plans import environment, plan, step
from tests.harness.stage import Does, Stage

URL = "postgresql://x:hunter22@db.example.org/shop"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "state")
    yield stage
    stage.pool.close()


def needed(stage: Stage, made: Plan) -> list[tuple[str, str]]:
    """Return name and kind of what a plan needs."""
    seen = preview.of(made, Checkout(stage.root), stage.place)
    return [(need.name, need.kind) for need in collect(seen)]


def test_each_need_once_and_under_a_name_without_secrets(stage: Stage) -> None:
    stage.secrets |= {"DB": URL, "TOKEN": "t0ken-t0ken"}
    secrets = {name: SecretSource(name, "env", name) for name in ("DB", "TOKEN")}
    hosts = (PlanHost("h1", "deploy", "10.0.0.1"), PlanHost("h2", "deploy", "10.0.0.2"))
    backup = {"database": "${{ secrets.DB }}", "to": "kept"}
    deploy = {"hosts": "app", "docker": {"image": "x", "service": "x", "socket": "/{host}.sock"}}
    login = {"auth": {"username": "ci", "password": "${{ secrets.TOKEN }}"}}
    made = plan(
        step("backup", "backup", options=backup, environment="prod"),
        step("again", "backup", options=backup, environment="prod"),
        step("build", "build", options={"image": "hub.test/app:${{ env.v }}"}, environment="prod"),
        step(
            "push",
            "push",
            options={"image": "${{ steps.build.image }}", **login},
            environment="prod",
        ),
        step("other", "push", options={"image": "${{ steps.push.digest }}"}, environment="prod"),
        step(
            "up",
            "deploy",
            options=deploy,
            environment="prod",
            verify=Verify("smoke", {"smoke": {"url": "http://a.test/one"}}),
            undo=Undo("ssh", {"script": "x", "hosts": "gone"}),
        ),
        step("smoke", "smoke", options={"url": "http://a.test/two"}, environment="prod"),
        home=environment("prod", secrets=secrets, groups={"app": hosts}, vars={"v": "v1"}),
        requires={"git": ">=2"},
    )
    assert needed(stage, made) == [
        ("git", "program"),
        ("pg_dump", "program"),
        ("pg_restore", "program"),
        ("•••", "postgres"),
        ("kept", "directory"),
        ("Docker engine", "docker"),
        ("hub.test/app:v1", "registry"),
        ("ssh", "program"),
        ("h1", "host"),
        ("h2", "host"),
        ("Docker on h1", "docker"),
        ("Docker on h2", "docker"),
        ("http://a.test", "http"),
        ("gone", "nowhere"),
    ]


def test_secrets_are_read_where_they_can_be_and_nobody_is_asked(stage: Stage) -> None:
    asked = []

    def read(source: SecretSource) -> str:
        asked.append(source.name)
        if source.name == "GONE":
            raise SecretError(source, "it is not there", "Put it there.")
        return "hunter22"

    kinds = {"KEY": "env", "GONE": "file", "TYPED": "prompt", "UNUSED": "env"}
    sources = {name: SecretSource(name, kind, name) for name, kind in kinds.items()}  # type: ignore[arg-type]  # the kinds above are of them
    options = {"argv": ["true"], "stdin": "${{ secrets.KEY }}${{ secrets.GONE }}"}
    made = plan(
        step("a", options=options, environment="prod", secret_files=("TYPED",)),
        home=environment("prod", secrets=sources),
    )
    found = preflight(made, Checkout(stage.root), replace(stage.place, read_secret=read))
    assert found == [
        Check(
            "secret GONE",
            "the secret GONE cannot be read: it is not there",
            "blocks",
            "Put it there.",
        ),
        Check("secret TYPED", "you are asked for it when it is needed", "good"),
        Check("secret KEY", "can be read", "good"),
    ]
    assert sorted(asked) == ["GONE", "KEY"]


def test_a_worker_that_dies_blocks_in_words(stage: Stage) -> None:
    stage.pool.on("preflight", Does(how="dies"), mode="probe")
    found = preflight(plan(step("a")), Checkout(stage.root), stage.place)
    assert [(check.name, check.level) for check in found] == [("preflight", "blocks")]
    assert stage.journal.records == {}


def test_real_looks_in_a_worker_leave_nothing_behind(
    stage: Stage, pool: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst comes first, and a password stands nowhere."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "origin")], check=True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        dead = f"127.0.0.1:{taken.getsockname()[1]}"
        stage.secrets["DB"] = f"postgresql://x:hunter22@{dead}/shop"
        made = plan(
            step("t", "tag", options={"name": "v1", "remote": str(tmp_path / "origin")}),
            step("q", "sql", options={"query": "select 1", "database": "${{ secrets.DB }}"}),
            step("s", "smoke", options={"url": f"http://{dead}/health"}),
            home=environment("", secrets={"DB": SecretSource("DB", "env", "DB")}),
        )
        found = preflight(made, Checkout(tmp_path), replace(stage.place, pool=pool))
    assert [(check.name, check.level) for check in found] == [
        (f"shop at {dead}", "blocks"),
        (f"http://{dead}", "warns"),
        ("git", "good"),
        (f"Git remote {tmp_path / 'origin'}", "good"),
        ("secret DB", "good"),
    ]
    assert "hunter22" not in repr(found)
    assert list((tmp_path / "temporary").iterdir()) == []
