"""Runs without a screen: exit codes, what they leave, how they go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook_tui import exits
from state.stores.location import location
from tests.commands.conftest import Program, newest, write

_KEYS = {
    "run": str,
    "runbook": str,
    "file": str,
    "environment": str,
    "rehearsal": bool,
    "status": str,
    "failures": int,
    "operator": str,
    "started_at": str,
    "ended_at": str,
    "parameters": dict,
}
_STEP_KEYS = {"id", "name", "phase", "refs", "action", "status", "proof", "adopted", "reason"} | {
    "notes",
    "attempts",
}
_ATTEMPT_KEYS = {"number", "status", "started_at", "ended_at", "exit_code", "verdict"} | {
    "outputs",
    "evidence",
    "log",
}


def test_what_a_run_leaves(program: Program) -> None:
    """One run, looked at by every command that looks."""
    head = "parameters: {name: {default: world}}\n"
    steps = """
- id: greet
  name: Greet
  ref: "1.1"
  run:
    script: 'echo "hello ${{ name }}"; echo "to=${{ name }}" >> "$RUNBOOK_OUTPUT"'
    outputs: [to]
- {id: again, run: 'echo "${{ steps.greet.to }}"'}
"""
    file = write("hello.yaml", steps, head)
    ran = program("run", "hello.yaml", "--headless", "-p", "name='; rm -rf ~ #")
    assert ran.code == exits.DONE
    run = newest(program)
    assert f"run {run}: done" in ran.out

    shown = program("show", run, "--json").json()
    assert {key: type(shown[key]) for key in _KEYS} == _KEYS
    assert (shown["status"], shown["file"]) == ("succeeded", str(file.absolute()))
    assert shown["parameters"] == {"name": "'; rm -rf ~ #"}
    greet = shown["steps"][0]
    assert greet.keys() >= _STEP_KEYS
    assert greet["attempts"][0].keys() >= _ATTEMPT_KEYS
    assert (greet["refs"], greet["action"], greet["proof"]) == (["1.1"], "run", "machine")
    assert greet["attempts"][0]["outputs"]["to"] == "'; rm -rf ~ #"
    assert Path(greet["attempts"][0]["log"]).read_text() == "hello '; rm -rf ~ #\n"

    assert "Greet [1.1]: succeeded" in program("show", run).out
    assert program("log", run, "again").out == "'; rm -rf ~ #\n"
    listed = program("runs", "--json").json()
    assert [one["run"] for one in listed] == [run]
    assert "steps" not in listed[0]
    assert program("runs").out.split()[:2] == [run, "succeeded"]
    events = [json.loads(line) for line in program("events", run).out.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {"seq", "run", "at", "kind", "data", "operator", "host", "token", "prev", "hash"} <= (
        events[0].keys()
    )


def test_notes_reports_and_audit(program: Program) -> None:
    write("a.yaml", "- run: echo '<b>&'")
    assert program("run", "a.yaml", "--headless").code == exits.DONE
    run = newest(program)
    assert program("note", run, "looked <i>well</i>").code == exits.DONE
    assert program("show", run, "--json").json()["notes"][0]["text"] == "looked <i>well</i>"
    assert program("report", run, "--format", "json").json()["run"] == run
    assert run in program("report", run).out
    assert program("report", run, "--format", "html", "-o", "r.html").code == exits.DONE
    assert "<i>" not in Path("r.html").read_text()
    assert "whole" in program("audit", run).out


def test_an_edited_journal_is_found(program: Program) -> None:
    import sqlite3

    write("a.yaml", "- run: echo")
    assert program("run", "a.yaml", "--headless").code == exits.DONE
    run = newest(program)
    connection = sqlite3.connect(location().directory / "journal.db")
    tables = connection.execute("select name from sqlite_master where sql like '%hash%'").fetchall()
    with connection:
        for (table,) in tables:
            columns = [row[1] for row in connection.execute(f"pragma table_info({table})")]
            if "operator" in columns:
                connection.execute(f"update {table} set operator = 'eve' where seq = 2")
    connection.close()
    ran = program("audit", run)
    assert (ran.code, "1 fault." in ran.out) == (exits.STORE, True)


@pytest.mark.parametrize("damage", ["data = '{}'", "kind = 'unheard'", "data = '{nonsense'"])
def test_a_damaged_run_hides_no_other(program: Program, damage: str) -> None:
    import sqlite3

    write("a.yaml", "- run: echo")
    for _ in range(2):
        assert program("run", "a.yaml", "--headless").code == exits.DONE
    second, first = [one["run"] for one in program("runs", "--json").json()]
    connection = sqlite3.connect(location().directory / "journal.db")
    with connection:
        connection.execute(f"update events set {damage} where run = ? and seq = 2", (first,))
    connection.close()
    ran = program("runs", "--json")
    assert ran.code == exits.STORE
    assert [one["run"] for one in ran.json()] == [second]
    assert f"runbook audit {first}" in ran.err
    assert program("show", second).code == exits.DONE
    for words in (("show", first), ("resume", first, "--headless"), ("resume",), ("audit", first)):
        ran = program(*words)
        assert (ran.code, "Traceback" in ran.err) == (exits.STORE, False)


def test_a_failed_step_is_retried_on_resume(program: Program) -> None:
    write("a.yaml", "- {id: a, run: test -e mended}\n- {id: b, run: echo}")
    ran = program("run", "a.yaml", "--headless")
    assert (ran.code, "runbook resume" in ran.out) == (exits.FAILED, True)
    Path("mended").touch()
    ran = program("resume", "--headless", "--answer", "a=retry")
    assert ran.code == exits.DONE
    shown = program("show", newest(program), "--json").json()
    assert [attempt["status"] for attempt in shown["steps"][0]["attempts"]] == [
        "failed",
        "succeeded",
    ]
    assert program("resume", shown["run"], "--headless").code == exits.USAGE


@pytest.mark.parametrize(
    ("step", "options", "code", "status"),
    [
        ("run: echo\n  confirm: ask", (), exits.WAITS, "waiting"),
        ("run: echo\n  confirm: ask", ("--yes",), exits.DONE, "succeeded"),
        ("run: echo\n  confirm: typed", ("--yes",), exits.WAITS, "waiting"),
        ("run: echo\n  confirm: typed", ("--confirm", "a=live"), exits.DONE, "succeeded"),
        ("run: 'false'\n  on_failure: continue", (), exits.DONE, "succeeded"),
        ("run: 'false'\n  on_failure: abort", (), exits.ABORTED, "aborted"),
        ("run: 'false'", ("--answer", "a=skip:not needed"), exits.DONE, "succeeded"),
        ("run: 'false'", ("--answer", "a=abort:no use"), exits.ABORTED, "aborted"),
        ("manual: Look", (), exits.WAITS, "waiting"),
        ("manual: Look", ("--answer", "a=done:seen"), exits.DONE, "succeeded"),
    ],
)
def test_policies(
    program: Program, step: str, options: tuple[str, ...], code: int, status: str
) -> None:
    write("a.yaml", f"- id: a\n  {step}", "environments: {live: {}}\n")
    assert program("run", "a.yaml", "-e", "live", "--headless", *options).code == code
    assert program("runs", "--json").json()[0]["status"] == status


def test_a_protected_environment_is_named_at_the_start(program: Program) -> None:
    write("a.yaml", "- run: echo", "environments: {live: {protected: true}}\n")
    assert program("run", "a.yaml", "-e", "live", "--headless", "--yes").code == exits.WAITS
    ran = program("resume", "--headless", "--confirm", "start=live")
    assert ran.code == exits.DONE


def test_rolling_back(program: Program) -> None:
    steps = "- {id: a, run: touch made, undo: {run: rm made}}\n- {id: b, run: 'false'}"
    write("a.yaml", steps, "environments: {live: {protected: true}}\n")
    start = ("--confirm", "start=live")
    assert program("run", "a.yaml", "-e", "live", "--headless", *start).code == exits.FAILED
    run = newest(program)
    assert program("rollback", run, "--headless").code == exits.FAILED
    assert Path("made").exists()
    assert program("rollback", run, "--headless", "--confirm", "rollback=live").code == exits.DONE
    assert not Path("made").exists()
    shown = program("show", run, "--json").json()
    assert (shown["status"], shown["steps"][0]["status"]) == ("rolled_back", "undone")


def test_a_run_that_rolls_itself_back(program: Program) -> None:
    steps = "- {id: a, run: touch made, undo: {run: rm made}}"
    steps += "\n- {id: b, run: 'false', on_failure: rollback}"
    write("a.yaml", steps)
    assert program("run", "a.yaml", "--headless").code == exits.ROLLED_BACK
    assert not Path("made").exists()


def test_events_as_json_and_nothing_else(program: Program) -> None:
    write("a.yaml", "- {id: a, run: echo}")
    ran = program("run", "a.yaml", "--json")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == exits.DONE
    assert [events[0]["kind"], events[-1]["kind"]] == ["run_started", "run_ended"]


def test_an_environment_in_use(program: Program) -> None:
    write("a.yaml", "- {id: a, run: 'false'}", "environments: {live: {}}\n")
    write("b.yaml", "- run: echo", "environments: {live: {}}\n")
    from runbook_tui.commands.place import place
    from runbook_tui.engine import session

    prepared = session.prepare(Path("a.yaml"), "live", {})
    with place() as here, session.start(prepared, here):
        ran = program("run", "b.yaml", "-e", "live", "--headless")
    assert ran.code == exits.IN_USE
    assert "dana" in ran.err


def test_an_approval_is_refused_on_sqlite_before_it_starts(program: Program) -> None:
    write("a.yaml", "- {id: a, run: echo, confirm: approval}")
    ran = program("run", "a.yaml", "--headless")
    assert (ran.code, "another operator's approval" in ran.err) == (exits.USAGE, True)
    assert program("runs", "--json").json() == []


def test_a_rollback_that_takes_nothing_back_is_none(program: Program) -> None:
    """The run would count as rolled back, and all that it did would still be there."""
    write("a.yaml", "- {id: a, name: First, run: echo a >> effects}")
    assert program("run", "a.yaml", "--headless").code == exits.DONE
    run = newest(program)
    refused = program("rollback", run, "--headless", "--yes")
    assert refused.code == exits.USAGE
    assert "there is no way back for First" in refused.err
    assert program("show", run, "--json").json()["status"] == "succeeded"
    assert len(program("runs", "--json").json()) == 1
