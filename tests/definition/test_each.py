"""`each` in a file: what its steps may leave out, what they take from it, what is refused."""

from __future__ import annotations

import pytest

from runbook_tui.definition.instances import expand, foreseen
from runbook_tui.definition.plan import Plan
from runbook_tui.definition.rollback import step_ids
from tests.definition.builders import codes, planned

HEAD = "environments: {e: {hosts: {app: [ops@a-1, a-2], db: [d-1]}, vars: {at: a-2}}}\n"


def rolled(steps: str, keys: str = "", options: str = "host: app") -> Plan:
    inside = f"""
    - id: roll
      {keys}
      each: {{{options}}}
      steps:
        {steps}
    """
    return planned(inside, HEAD, "e")


@pytest.mark.parametrize(
    "step",
    [
        "{id: x, ssh: {script: uptime}}",
        "{id: x, copy: {from: a, to: /b}}",
        "{id: x, check: {ssh: uptime, absent: 1}}",
        "{id: x, check: {resources: {disk: 90%}}}",
        "{id: x, run: echo, verify: {ssh: uptime}, undo: {ssh: {script: uptime}}}",
    ],
)
def test_hosts_left_out_are_this_host(step: str) -> None:
    inside = f"- {{id: roll, each: {{host: app}}, steps: [{step}]}}"
    assert codes(inside, HEAD) == []
    assert codes(f"- {step}", HEAD) != [], "outside they must be given"
    plan = planned(inside, HEAD, "e")
    [x] = plan.steps()
    where = [x.options.get("hosts")]
    where += [one.options.get("hosts") for one in (x.verify, x.undo) if one]
    assert {one for one in where if one} == {"${{ host }}"}


def test_hosts_that_are_given_stay() -> None:
    plan = rolled("- {id: x, ssh: {hosts: db, script: uptime}}")
    assert plan.step("x").options["hosts"] == "db"
    plan = rolled("- {id: x, check: {ssh: {hosts: db, script: uptime}}}")
    assert "hosts" not in plan.step("x").options


def test_items_have_no_host() -> None:
    inside = "- {id: roll, each: {item: [x]}, steps: [{id: y, ssh: {script: uptime}}]}"
    assert codes(inside, HEAD) == ["missing-key"]


def test_steps_take_from_it_what_they_do_not_say() -> None:
    keys = "on_failure: continue\n      no_return: It is gone.\n      ref: '1.1'"
    plan = rolled("- {id: x, run: echo}\n        - {id: y, run: echo, on_failure: ask}", keys)
    x, y = plan.steps()
    assert (x.on_failure, y.on_failure) == ("continue", "ask")
    assert (x.no_return, x.refs) == ("It is gone.", ("1.1",))
    [head] = plan.heads()
    assert (head.id, head.action, plan.step("roll")) == ("roll", "each", head)


def test_a_background_each_has_steps_in_the_background() -> None:
    plan = rolled("- {id: x, check: {run: echo}}", "background: true")
    assert plan.step("x").background
    assert codes("- {id: r, background: true, each: {item: [x]}, steps: [{id: y, run: echo}]}") == [
        "key"
    ]


def test_a_list_that_is_known_is_foreseen() -> None:
    plan = rolled("- {id: x, run: echo, undo: {run: echo}}", options="host: ['${{ env.at }}', db]")
    lists = foreseen(plan, lambda ref: "a-2" if ref.kind == "env" else None)
    assert [one.id for one in expand(plan, lists).steps()] == ["x@a-2", "x@d-1"]
    assert step_ids(plan) == ("x@a-2", "x@d-1", "roll", "x", "undo-x@a-2", "undo-x@d-1")


def test_a_list_that_only_the_run_knows_is_not() -> None:
    steps = """
    - {id: list, run: {script: echo, outputs: [names]}}
    - {id: roll, each: {item: "${{ steps.list.names }}"}, steps: [{id: x, run: echo}]}
    """
    plan = planned(steps, HEAD, "e")
    assert foreseen(plan, lambda ref: None) == {}
    assert step_ids(plan) == ("list", "x", "roll", "x")


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("{id: r, each: {item: [x]}, steps: [{id: s, each: {item: [y]}, steps: []}]}", "nesting"),
        ("{id: r, each: {item: [x]}, steps: [{id: s, join: r}]}", "nesting"),
        ("{id: r, each: {item: '${{ secrets.S }}'}, steps: [{id: s, run: echo}]}", "secret"),
        ("{id: r, each: {host: nowhere}, steps: [{id: s, run: echo}]}", "unknown-host"),
        (
            "{id: r, each: {item: [x]}, steps: [{id: s, run: 'echo \"${{ host }}\"'}]}",
            "unavailable",
        ),
        ("{id: r, parallel: [{id: s, check: {run: echo}, background: true}]}", "key"),
    ],
)
def test_what_is_refused(step: str, code: str) -> None:
    head = "environments: {e: {hosts: {app: [a-1]}, secrets: {S: {env: S}}}}\n"
    assert code in codes(f"- {step}", head)
