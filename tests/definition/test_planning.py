"""Plans: environment, parameters, overlays, groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook_tui.definition.loader import load
from runbook_tui.definition.plan import PlanGroup, Retries, Verify
from runbook_tui.definition.planning import make_plan
from runbook_tui.definition.problems import UsageProblem
from tests.definition.builders import planned

_HEAD = """
environments:
  defaults: {vars: {stage: staging}}
  production:
    protected: true
    hosts: {db: [db-1, db-2]}
    steps:
      b: {run: {script: pnpm test, cwd: null}, timeout: 20m, confirm: typed}
  staging: {vars: {tag: s}}
parameters:
  version: {prompt: Version, pattern: 'v\\d+', default: v1}
  kind: {choices: [Current, LTS], default: LTS}
  force: {type: bool, default: false}
  node: {type: host, group: db, default: db-1}
  token: {secret: true}
"""
_STEPS = """
- id: a
  run: echo
  ref: "6.1.1"
  retries: {times: 2, delay: 1m30s, backoff: 2}
  verify: {run: test -f x, absent: 1}
- id: b
  run: {script: make test, cwd: app, env: {N: 5}}
  ref: [6.1, 6.2]
- id: g
  name: Both
  fail_fast: true
  parallel:
    - {name: Run all tests, run: one, in: "${{ env.stage }}"}
    - wait: 5s
- push: {image: x}
"""


def test_steps() -> None:
    plan = planned(_STEPS, _HEAD, "production", {"token": "t"})
    a, b = plan.step("a"), plan.step("b")
    assert (a.action, a.options, a.refs, a.phase) == ("run", {"script": "echo"}, ("6.1.1",), "Only")
    assert a.retries == Retries(2, 90.0, 2.0)
    assert a.verify == Verify("run", {"run": "test -f x", "absent": 1})
    assert b.options == {"script": "pnpm test", "env": {"N": 5}}
    assert (b.timeout, b.confirm, b.refs) == (1200.0, "typed", ("6.1", "6.2"))
    assert b.overlaid == ("script", "cwd", "timeout", "confirm")
    (group,) = plan.groups()
    assert isinstance(group, PlanGroup)
    assert (group.name, group.fail_fast) == ("Both", True)
    assert [(s.id, s.group, s.environment) for s in group.steps] == [
        ("run-all-tests", "g", "staging"),
        ("wait", "g", "production"),
    ]
    assert plan.step("push").name == "push"
    assert set(plan.environments) == {"production", "staging"}


def test_parameters() -> None:
    given = {"version": "v2", "force": "true", "node": "db-2", "token": "t"}
    plan = planned(_STEPS, _HEAD, "production", given)
    assert {name: one.value for name, one in plan.parameters.items()} == {**given, "kind": "LTS"}
    assert [name for name, one in plan.parameters.items() if one.secret] == ["token"]
    assert plan.parameters["version"].prompt == "Version"


@pytest.mark.parametrize(
    ("environment", "given", "words"),
    [
        (None, {}, ["The environment is missing", "production, staging"]),
        ("prodution", {}, ["no environment", 'did you mean "production"?']),
        ("production", {}, ['"token" is missing', "-p token=VALUE"]),
        ("production", {"token": "t", "verison": "v1"}, ["verison", "version"]),
        ("production", {"token": "t", "version": "2"}, ['"version" must match']),
        ("production", {"token": "t", "version": "v2\n"}, ['"version" must match']),
        ("production", {"token": "t", "kind": "Old"}, ["Current, LTS"]),
        ("production", {"token": "t", "force": "yes"}, ["true or false"]),
        ("production", {"token": "t", "node": "db-9"}, ["db-1, db-2"]),
        ("production", {"token": "\x1b[2J"}, ["control character"]),
    ],
)
def test_usage(environment: str | None, given: dict[str, str], words: list[str]) -> None:
    with pytest.raises(UsageProblem) as raised:
        planned(_STEPS, _HEAD, environment, given)
    said = f"{raised.value.sentence}\n{raised.value.advice}"
    assert [word for word in words if word not in said] == []
    assert "\x1b" not in said


def test_an_environment_where_none_is() -> None:
    with pytest.raises(UsageProblem):
        planned("- run: echo", "", "production")


def test_conditions_of_all_levels_come_in_order(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(
        """
runbook: Test
parameters: {a: {default: x}}
phases:
  - phase: One
    when: {value: "${{ a }}", is: "1"}
    steps:
      - id: g
        when: {value: "${{ a }}", is: "2"}
        parallel:
          - {id: s, run: echo, when: {value: "${{ a }}", is: "3"}}
      - {id: t, run: echo}
"""
    )
    plan = make_plan(load(path), None, {})
    assert [when.conditions[0].is_ for when in plan.step("s").when] == ["1", "2", "3"]
    assert [when.conditions[0].is_ for when in plan.step("t").when] == ["1"]
    assert plan.file == str(path)
    assert plan.sources == {"r.yaml": path.read_bytes()}
