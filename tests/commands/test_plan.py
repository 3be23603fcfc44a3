"""`plan` and `doctor`: they look, and change nothing."""

from __future__ import annotations

from pathlib import Path

from runbook_tui import exits
from tests.commands.conftest import Program, write

_HEAD = "parameters: {name: {pattern: '\\w+'}}\nenvironments: {live: {protected: true}}\n"
_STEPS = """
- {id: made, run: 'touch "${{ name }}"', verify: {run: 'test -e "${{ name }}"', absent: 1}}
- {id: missing, run: echo, verify: {run: test -e never, absent: 1}, confirm: typed}
- {id: look, manual: Look}
"""


def test_plan_says_what_is_there(program: Program) -> None:
    write("a.yaml", _STEPS, _HEAD)
    Path("one").touch()
    rows = program("plan", "a.yaml", "-e", "live", "-p", "name=one", "--json").json()
    assert [(row["id"], row["verdict"]) for row in rows[:2]] == [
        ("made", "present"),
        ("missing", "absent"),
    ]
    assert (rows[1]["confirm"], rows[1]["environment"]) == ("typed", "live")
    ran = program("plan", "a.yaml", "-e", "live", "-p", "name=two")
    assert ran.code == exits.DONE
    assert [line.split()[0] for line in ran.out.splitlines() if line.startswith("  m")] == [
        "made",
        "missing",
    ]
    assert not Path("two").exists()
    assert program("runs", "--json").json() == []


def test_plan_needs_its_parameters(program: Program) -> None:
    write("a.yaml", _STEPS, _HEAD)
    ran = program("plan", "a.yaml", "-e", "live")
    assert (ran.code, "-p name=VALUE" in ran.err) == (exits.USAGE, True)


def test_doctor_needs_none(program: Program) -> None:
    head = _HEAD + "requires: {bash: '>=2', no-such-program-anywhere: '1'}\n"
    write("a.yaml", _STEPS, head)
    ran = program("doctor", "a.yaml", "-e", "live", "--json")
    levels = {check["name"]: check["level"] for check in ran.json()}
    assert (levels["bash"], levels["no-such-program-anywhere"]) == ("good", "blocks")
    assert ran.code == exits.FAILED
    write("a.yaml", _STEPS, _HEAD)
    assert program("doctor", "a.yaml", "-e", "live").code == exits.DONE
