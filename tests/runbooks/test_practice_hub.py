"""The shipped runbooks are clean, complete against the checklist, and fit each environment."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from runbook_tui.definition import loader, planning
from runbook_tui.definition.plan import Plan

REFS: Final = [
    *(f"6.1.{number}" for number in range(1, 10)),
    *(f"6.2.{number}" for number in range(1, 11)),
    *(f"6.3.{number}" for number in range(1, 11)),
]
BY_A_PERSON: Final = {
    *("6.1.8", "6.2.9", "6.3.1", "6.3.3", "6.3.5", "6.3.7", "6.3.8", "6.3.10"),
}
"""Items whose proof is a person's word, or needs what this program cannot do yet."""

ENVIRONMENTS: Final = ("sandbox", "staging", "production")


@pytest.fixture(scope="module")
def folder() -> Path:
    """Where the shipped runbooks lie."""
    return Path(__file__).resolve().parents[2] / "runbooks"


def _plan(folder: Path, environment: str) -> Plan:
    loaded = loader.load(folder / "practice-hub" / "deployment.yaml")
    return planning.make_plan(loaded, environment, {"version": "v1.0.0"})


@pytest.mark.parametrize(
    "name",
    [
        *("practice-hub/deployment.yaml", "practice-hub/rollback.yaml"),
        *("examples/first.yaml", "examples/decide.yaml", "examples/parallel.yaml"),
        *("examples/certificate.yaml", "examples/certificates.yaml"),
        *(
            "examples/elasticsearch-rolling-restart.yaml",
            "examples/certificate-authority-trust.yaml",
        ),
        "examples/certificate-authority-rotation.yaml",
    ],
)
def test_a_shipped_runbook_has_no_problem(folder: Path, name: str) -> None:
    assert [problem.show() for problem in loader.load(folder / name).problems] == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_all_items_of_section_6_are_there_in_order(folder: Path, environment: str) -> None:
    plan = _plan(folder, environment)
    found = [ref for step in plan.steps() for ref in step.refs]
    # Production's migration comes after staging has shown that it works: 6.2.4 a second time.
    assert found.count("6.2.4") == 2
    last = len(found) - 1 - found[::-1].index("6.2.4")
    assert found[:last] + found[last + 1 :] == REFS
    manual = {ref for step in plan.steps() if step.action == "manual" for ref in step.refs}
    assert manual == BY_A_PERSON


def test_staging_s_steps_use_the_staging_of_their_environment(folder: Path) -> None:
    for environment, staging in (("sandbox", "sandbox-staging"), ("production", "staging")):
        plan = _plan(folder, environment)
        for step in plan.steps():
            expected = staging if "staging" in step.id else environment
            assert step.environment == expected, step.id


def test_production_runs_the_checklist_s_own_commands_and_types_its_name(folder: Path) -> None:
    plan = _plan(folder, "production")
    scripts = [plan.step(id_).options["script"] for id_ in ("tests", "types", "lint")]
    assert scripts == ["pnpm test", "pnpm tsc --noEmit", "pnpm lint"]
    assert plan.home().protected
    assert plan.step("production").confirm == "typed"
    assert plan.home().vars["watch_for"] == "30m"
