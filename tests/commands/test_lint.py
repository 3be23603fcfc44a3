"""`lint`, `schema` and `init`."""

from __future__ import annotations

from runbook_tui import exits
from runbook_tui.definition import schema
from tests.commands.conftest import Program, write


def test_lint_tells_people_and_programs(program: Program) -> None:
    write("broken.yaml", "- run: echo\n  tiemout: 5s\n- {id: b, run: echo, confirm: approval}")
    ran = program("lint", "broken.yaml")
    assert ran.code == exits.USAGE
    assert 'broken.yaml:6:9: error: unknown key "tiemout"' in ran.out
    assert "1 error, 1 warning" in ran.out
    ran = program("lint", "broken.yaml", "--json")
    assert ran.code == exits.USAGE
    first, second = ran.json()
    assert list(first.items()) == [
        ("file", "broken.yaml"),
        ("line", 6),
        ("column", 9),
        ("severity", "error"),
        ("code", "unknown-key"),
        ("message", 'unknown key "tiemout"'),
        ("hint", 'did you mean "timeout"?'),
    ]
    assert (second["severity"], second["line"]) == ("warning", 7)


def test_lint_of_what_is_clean(program: Program) -> None:
    write("good.yaml", "- run: echo")
    assert program("lint", "good.yaml", "--json").json() == []
    ran = program("lint", ".")
    assert (ran.code, ran.out) == (exits.DONE, "No problems found.\n")


def test_warnings_alone_are_no_error(program: Program) -> None:
    write("warns.yaml", "- {run: echo, confirm: approval}")
    assert program("lint", "warns.yaml").code == exits.DONE


def test_schema(program: Program) -> None:
    assert program("schema").out == schema.text()


def test_init_writes_a_runbook_that_runs(program: Program) -> None:
    assert program("init", "deep/first.yaml").code == exits.DONE
    assert program("lint", "deep/first.yaml", "--json").json() == []
    answers = ("--yes", "--answer", "read=done:it does")
    assert program("run", "deep/first.yaml", "--headless", *answers).code == exits.DONE
    again = program("init", "deep/first.yaml")
    assert (again.code, "there already" in again.err) == (exits.USAGE, True)
