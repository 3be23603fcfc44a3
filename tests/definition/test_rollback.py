"""Rollback plans: undo newest first, then the named runbook with its values."""

from __future__ import annotations

import pytest

from runbook_tui.definition.instances import expand
from runbook_tui.definition.plan import FixedList, Instance
from runbook_tui.definition.problems import UsageProblem
from runbook_tui.definition.rollback import Done, make_rollback_plan
from tests.definition.builders import planned

_HEAD = """
environments:
  production: {protected: true, vars: {image: app}, hosts: {app: [a-1, a-2]}}
parameters: {version: {default: v2}, note: {default: why}}
rollback:
  file: back.yaml
  with:
    version: ${{ steps.c.previous }}
    image: ${{ env.image }}
    extra: ${{ steps.d.exit_code | "none" }}
"""
_STEPS = """
- {id: a, run: echo, undo: {run: 'echo "${{ version }}" "${{ note }}"'}}
- {id: b, smoke: {url: http://127.0.0.1/}}
- {id: c, run: {script: echo, outputs: [previous]}}
- {id: d, run: echo, undo: {run: echo d}, in: production}
"""
_BACK = """
runbook: Back
parameters: {version: {}, image: {}, extra: {}, note: {}}
phases:
  - phase: Restore
    steps: [{id: restore, run: 'echo "${{ version }}"'}]
"""
_C = Done("c", {"previous": "v1"})


def test_undo_and_runbook() -> None:
    base = planned(_STEPS, _HEAD, "production", back=_BACK)
    made = make_rollback_plan(base, [Done("a"), Done("b"), _C, Done("d")])
    plan = made.plan
    assert [(s.id, s.undoes, s.phase) for s in plan.steps()] == [
        ("undo-d", "d", "Undo"),
        ("undo-a", "a", "Undo"),
        ("restore", None, "Restore"),
    ]
    assert [step.id for step in made.without_undo] == ["c"]
    assert {name: one.value for name, one in plan.parameters.items()} == {
        "version-of-run": "v2",
        "version": "v1",
        "image": "app",
        "extra": "none",
        "note": "why",
    }
    assert plan.step("undo-a").options == {"script": 'echo "${{ version-of-run }}" "${{ note }}"'}
    assert (plan.way_back, plan.rollback, plan.runbook) == (False, None, "Back")
    assert (plan.environment, set(plan.environments)) == ("production", {"production"})


def test_without_a_runbook() -> None:
    base = planned(_STEPS, _HEAD.partition("rollback:")[0], "production")
    made = make_rollback_plan(base, [Done("a"), _C])
    assert [step.id for step in made.plan.steps()] == ["undo-a"]
    assert made.plan.runbook == "Roll back Test"
    assert made.plan.parameters == base.parameters


def test_instead_of_undo() -> None:
    head = _HEAD + "  instead_of_undo: true\n"
    made = make_rollback_plan(planned(_STEPS, head, "production", back=_BACK), [Done("a"), _C])
    assert [step.id for step in made.plan.steps()] == ["restore"]
    assert made.without_undo == ()


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (Done("a"), "steps.c.previous }} has no value"),
        (Done("c", {}, {"a-1": {"previous": "v1"}, "a-2": {"previous": "v0"}}), "a-1: v1, a-2: v0"),
    ],
)
def test_a_value_that_the_run_does_not_have(done: Done, words: str) -> None:
    base = planned(_STEPS, _HEAD, "production", back=_BACK)
    with pytest.raises(UsageProblem, match='needs "version"') as raised:
        make_rollback_plan(base, [done])
    assert words in raised.value.sentence


def test_outputs_that_all_hosts_agree_on() -> None:
    base = planned(_STEPS, _HEAD, "production", back=_BACK)
    agreed = Done("c", {}, {"a-1": {"previous": "v1"}, "a-2": {"previous": "v1"}})
    assert make_rollback_plan(base, [agreed]).plan.parameters["version"].value == "v1"


_SHIP = """
- id: ship
  run: {script: ./ship.sh, outputs: [previous]}
  undo: {run: {argv: [./ship.sh, "${{ steps.ship.previous }}"]}}
- {id: told, run: ./tell.sh, undo: {run: './tell.sh "${{ steps.ship.previous | "nothing" }}"'}}
"""


@pytest.mark.parametrize(
    ("ship", "undone"),
    [
        (Done("ship"), ["told"]),
        (Done("ship", {"previous": "v1"}), ["told", "ship"]),
        (Done("ship", {}, {"a-1": {"previous": "v1"}}), ["told", "ship"]),
    ],
)
def test_an_undo_that_needs_what_its_step_did_not_give_is_named_and_not_begun(
    ship: Done, undone: list[str]
) -> None:
    made = make_rollback_plan(planned(_SHIP), [ship, Done("told")])
    assert [step.undoes for step in made.plan.steps()] == undone
    said = "its undo needs steps.ship.previous, and it gave none: take it back by hand"
    expected = [] if "ship" in undone else [("ship", said)]
    assert [(step.id, why) for step, why in made.cannot] == expected
    assert made.without_undo == ()


def test_a_value_that_each_host_gave() -> None:
    steps = """
- id: roll
  each: {host: app}
  steps: [{id: c, ssh: {script: echo, outputs: [previous]}}]
- {id: d, run: echo}
"""
    written = planned(steps, _HEAD, "production", back=_BACK)
    hosts = tuple(Instance(name, name) for name in ("a-1", "a-2"))
    base = expand(written, {"roll": FixedList(hosts)})

    def restored(first: str, second: str) -> str:
        done = [
            Done("c@a-1", by_host={"a-1": {"previous": first}}),
            Done("c@a-2", by_host={"a-2": {"previous": second}}),
        ]
        return make_rollback_plan(base, done).plan.parameters["version"].value

    assert restored("v1", "v1") == "v1"
    with pytest.raises(UsageProblem, match="differs from host to host"):
        restored("v1", "v0")


_HUB = """
- id: hub
  deploy: {hosts: app, docker: {image: r/h@sha256:DIGEST, service: hub, ports: 8081-8082}}
  undo:
    deploy:
      hosts: app
      docker:
        image: '${{ steps.hub.previous | "" }}'
        takes_back: ${{ run.id }}
        service: hub
        ports: 8081-8082
        env: {KEY: "${{ env.image }}"}
""".replace("DIGEST", "7" * 64)


@pytest.mark.parametrize(
    ("gave", "confirm"),
    [
        ({"a-1": {"container": "hub-8081"}}, "ask"),
        ({"a-1": {"previous": "r/h@sha256:" + "6" * 64}}, "none"),
        ({"a-1": {"previous": "one"}, "a-2": {"previous": "two"}}, "none"),
    ],
)
def test_what_had_nothing_before_it_is_removed_only_when_a_person_says_so(
    gave: dict[str, dict[str, str]], confirm: str
) -> None:
    made = make_rollback_plan(
        planned(_HUB, _HEAD.partition("rollback:")[0], "production"), [Done("hub", {}, gave)]
    )
    assert [(step.id, step.confirm) for step in made.plan.steps()] == [("undo-hub", confirm)]
    assert made.cannot == ()


def test_each_host_of_a_sequence_is_asked_about_for_itself() -> None:
    steps = "- id: roll\n  each: {host: app}\n  steps:\n" + "".join(
        f"    {line}\n"
        for line in _HUB.replace("hosts: app", "hosts: ['${{ host }}']").strip().splitlines()
    )
    written = planned(steps, _HEAD.partition("rollback:")[0], "production")
    base = expand(written, {"roll": FixedList(tuple(Instance(n, n) for n in ("a-1", "a-2")))})
    done = [
        Done("hub@a-1", {"previous": "r/h@sha256:" + "6" * 64}),
        Done("hub@a-2", {"container": "hub-8081"}),
    ]
    made = make_rollback_plan(base, done)
    assert {step.id: step.confirm for step in made.plan.steps()} == {
        "undo-hub@a-2": "ask",
        "undo-hub@a-1": "none",
    }
