"""A shell where a step stands: what it knows, and what it must not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runbook_tui.definition.plan import Plan, PlanParameter, SecretSource
from runbook_tui.ui.shell_here import in_words, shell
from state.run_state import RunState
from tests.harness.plans import Story, environment, plan, step

PLACE = environment(
    "prod",
    vars={"region": "eu"},
    secrets={
        "TOKEN": SecretSource("TOKEN", "env", "DEPLOY_TOKEN"),
        "FILE": SecretSource("FILE", "file", "/run/secret"),
    },
)
STEP = step(
    "ship",
    environment="prod",
    options={
        "script": "true",
        "cwd": "${{ part }}",
        "env": {
            "REGION": "${{ env.region }}",
            "API": "Bearer ${{ secrets.FILE }}",
            "KEY": "${{ key }}",
            "FROM": "${{ steps.before.out }}",
        },
    },
)
PLAN = plan(
    step("before", environment="prod"),
    STEP,
    home=PLACE,
    parameters={
        "part": PlanParameter("part", "service", "Part"),
        "key": PlanParameter("key", "s3cret", "Key", secret=True),
    },
)


def in_folder(folder: Path, made: Plan = PLAN) -> RunState:
    state = Story(made).tried("before", outputs={"out": "v1"}).state
    return replace(state, started=replace(state.started, cwd=str(folder)))


def test_it_stands_where_the_step_does_with_its_variables(tmp_path: Path) -> None:
    (tmp_path / "service").mkdir()
    program = tmp_path / "shell"
    program.write_text("#!/bin/sh\npwd > seen; env >> seen; exit 3\n")
    program.chmod(0o700)
    inherited = {"SHELL": str(program), "PATH": "/usr/bin:/bin", "DEPLOY_TOKEN": "hidden"}
    opened = shell(PLAN, in_folder(tmp_path), "ship", inherited)
    assert opened.run() == 3
    seen = (tmp_path / "service" / "seen").read_text()
    assert seen.startswith(f"{tmp_path}/service\n")
    assert "REGION=eu\n" in seen
    assert "FROM=v1\n" in seen
    assert "RUNBOOK_STEP=ship\n" in seen


def test_no_secret_is_in_it(tmp_path: Path) -> None:
    inherited = {"DEPLOY_TOKEN": "hidden", "PATH": "/bin"}
    variables = shell(PLAN, in_folder(tmp_path), "ship", inherited).variables
    assert not {"DEPLOY_TOKEN", "API", "KEY"} & set(variables)
    assert "s3cret" not in str(variables)


def test_a_directory_that_is_not_there_is_not_entered(tmp_path: Path) -> None:
    assert shell(PLAN, in_folder(tmp_path), "ship", {}).directory == tmp_path


def test_what_is_noted() -> None:
    assert in_words("Ship", 3, 80.4) == "shell at Ship ended after 1:20, exit code 3"
