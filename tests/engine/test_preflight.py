"""Doctor and plan: tools, secrets, what must be reached, and what is there already."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runbook_tui.definition.plan import (
    Plan,
    PlanHost,
    PlanParameter,
    SecretSource,
    Verify,
)
from runbook_tui.engine.driving import Place
from runbook_tui.engine.plan_rows import plan_rows
from runbook_tui.engine.preflight import Check, preflight
from runbook_tui.engine.repository import Checkout
from runbook_tui.engine.workers import Workers
from runbook_tui.secrets import SecretError
from tests.harness.plans import environment, plan, step
from tests.harness.stage import Stage, sees


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "state")
    yield stage
    stage.pool.close()


def checked(stage: Stage, made: Plan, pool: Workers | None = None) -> dict[str, Check]:
    place = stage.place if pool is None else replace(stage.place, pool=pool)
    found = preflight(made, Checkout(stage.root.parent), place)
    return {check.name: check for check in found}


def test_tools_and_their_versions(stage: Stage) -> None:
    made = plan(
        step("a", options={"argv": ["true"]}),
        step("b", options={"script": "x", "shell": "no-such-shell -c"}),
        requires={"git": ">=1.0", "sh": ">=1.0", "python3": ">=99", "no-such-tool": ">=1"},
    )
    found = checked(stage, made)
    assert found["git"].level == "good"
    assert found["no-such-tool"].level == "blocks"
    assert found["no-such-shell"].mend == "apt-get install no-such-shell"
    assert (found["python3"].level, ">=99 is needed" in found["python3"].sentence) == (
        "blocks",
        True,
    )


def test_every_secret_is_read_and_none_is_shown(stage: Stage) -> None:
    def read(source: SecretSource) -> str:
        if source.name == "GONE":
            raise SecretError(source, "it is not there", "Put it there.")
        return "hunter22"

    names = ("KEY", "GONE", "TYPED")
    sources = {
        name: SecretSource(name, "prompt" if name == "TYPED" else "env", name) for name in names
    }
    options = {"script": "x", "stdin": "".join(f"${{{{ secrets.{name} }}}}" for name in names)}
    made = plan(
        step("a", options=options, environment="prod"), home=environment("prod", secrets=sources)
    )
    found = preflight(
        made, Checkout(stage.root), Place(stage.root, stage.journal, stage.pool, read, "dana")
    )
    levels = {check.name: check.level for check in found if check.name.startswith("secret")}
    assert levels == {"secret KEY": "good", "secret GONE": "blocks", "secret TYPED": "good"}
    assert "hunter22" not in repr(found)


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def test_what_must_be_reached(
    stage: Stage, pool: Workers, tmp_path: Path, closed_port: int
) -> None:
    """Each kind that needs no service, really looked at, and secrets out of its name."""
    origin = tmp_path / "origin"
    subprocess.run(["git", "init", "-q", "--bare", str(origin)], check=True)
    dead = f"127.0.0.1:{closed_port}"
    home = environment(
        "prod",
        secrets={"DB": SecretSource("DB", "env", "DB")},
        groups={"app": (PlanHost("h1", "deploy", "127.0.0.1", closed_port),)},
    )
    stage.secrets["DB"] = f"postgresql://x:hunter22@{dead}/x"
    made = plan(
        step("t", "tag", options={"name": "v1", "remote": str(origin)}, environment="prod"),
        step("u", "tag", options={"name": "v1", "remote": "nowhere"}, environment="prod"),
        step(
            "b",
            "backup",
            options={"database": "${{ secrets.DB }}", "to": str(tmp_path / "kept")},
            environment="prod",
        ),
        step("s", "smoke", options={"url": f"http://{dead}/health"}, environment="prod"),
        step("h", "ssh", options={"script": "x", "hosts": "app"}, environment="prod"),
        step("o", "ssh", options={"script": "x", "hosts": "other"}, environment="prod"),
        step("later", "smoke", options={"url": "${{ steps.t.name }}"}, environment="prod"),
        home=home,
    )
    found = checked(stage, made, pool)
    levels = {name: check.level for name, check in found.items()}
    assert levels[f"Git remote {origin}"] == "good"
    assert levels["Git remote nowhere"] == "blocks"
    assert levels["database •••"] == "blocks"
    assert levels[f"directory {tmp_path / 'kept'}"] == "good"
    assert levels[f"address http://{dead}/health"] == "warns"
    assert levels["host app"] == "blocks"
    assert "is not in the inventory of prod" in found["host other"].sentence
    assert "hunter22" not in repr(found)


def test_a_plan_is_probed_and_nothing_is_done(stage: Stage) -> None:
    looks = Verify("run", {"run": "true"})
    stage.pool.on("there", sees("present", "it is there"), mode="verify")
    made = plan(
        step("there", verify=looks, confirm="typed"),
        step("unprobed", options={"script": "echo ${{ version }} ${{ key }}"}),
        step("later", verify=Verify("run", {"run": 'test "${{ steps.there.x }}"'})),
        step("reads", "check", options={"run": "true"}),
        parameters={
            "version": PlanParameter("version", "v1.4.0", "Version"),
            "key": PlanParameter("key", "hunter22", "Key", secret=True),
        },
    )
    rows = plan_rows(made, Checkout(stage.root), stage.place)
    assert [(row.step.id, row.verdict, row.changes) for row in rows] == [
        ("there", "present", True),
        ("unprobed", None, True),
        ("later", "unknown", True),
        ("reads", None, False),
    ]
    assert rows[0].found == "it is there"
    assert rows[0].asks == "typed"
    assert rows[1].rows[0] == ("Runs", "echo v1.4.0 •••")
    assert stage.pool.acted == []
    assert stage.journal.records == {}
