"""What is wrong with the state is told in words, and nothing is done twice or lost for it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from runbook_tui import exits
from runbook_tui.engine import clock
from state.codec import GENESIS, canonical, record_hash
from state.events import Record
from state.stores import sqlite_open, store
from state.stores.sqlite import INSERT, open_journal, row_of
from tests.commands.conftest import Program, Ran, newest, write
from tests.harness.processes import until
from tests.harness.program import Program as Process


@pytest.fixture
def state() -> Path:
    return Path(os.environ["RUNBOOK_STATE"])


def unusable(ran: Ran) -> str:
    """Return what was said by a command that could not use the store."""
    assert (ran.code, "Traceback" in ran.err) == (exits.STORE, False), ran.out + ran.err
    assert len(ran.err.splitlines()) > 1, "a sentence and what to do next"
    return ran.err


def test_a_directory_of_somebody_else(program: Program, state: Path) -> None:
    write("a.yaml", "- run: echo")
    assert program("run", "a.yaml", "--headless").code == exits.DONE
    os.chown(state, 4711, -1)
    for words in (("runs",), ("run", "a.yaml", "--headless"), ("audit", "--recover")):
        assert "belongs to the user with id 4711" in unusable(program(*words))
    os.chown(state, os.geteuid(), -1)
    assert len(program("runs", "--json").json()) == 1


# Truncated and corrupt


@pytest.mark.parametrize("how", ["truncated", "corrupt"])
def test_a_damaged_database_names_the_command_that_saves_what_can_be_read(
    program: Program, state: Path, how: str
) -> None:
    write("a.yaml", "- {id: hello, run: echo hello}")
    for _ in range(6):
        assert program("run", "a.yaml", "--headless").code == exits.DONE
    file = state / "journal.db"
    size, root = file.stat().st_size, page_of(file, "inbox_pending")
    with file.open("r+b") as opened:
        if how == "truncated":
            opened.truncate(size - 4096)
        else:
            opened.seek((root - 1) * 4096)
            opened.write(b"\xa5" * 4096)
    if how == "truncated":
        assert "runbook audit --recover" in unusable(program("runs"))
    done = program("audit", "--recover")
    assert "The damaged file is kept in" in done.out, done.err
    found = program("runs", "--json").json()
    assert found, "something was saved"
    assert f"run {found[0]['run']}: " in done.out
    assert program("audit", found[0]["run"]).code == exits.DONE
    assert program("log", found[0]["run"], "hello").out == "hello\n"
    assert program("run", "a.yaml", "--headless").code == exits.DONE
    assert "nothing to recover" in program("audit", "--recover").out


RUN_IN_PROD = """\
runbook: Prod
environments: {prod: {}}
phases:
  - phase: All
    steps:
      - {id: a, name: First, run: echo a >> effects}
      - {id: b, manual: {text: done?}}
"""


def _change(state: Path, change: str) -> None:
    with closing(sqlite3.connect(state / "journal.db")) as database, database:
        assert database.execute(f"UPDATE {change}").rowcount > 0


@pytest.mark.parametrize("data", ["'{'", """replace(data, 'succeeded', 'failed')"""])
def test_a_run_whose_record_was_altered_is_not_gone_on_with(
    program: Program, state: Path, data: str
) -> None:
    """Nor is anything begun in its environment, until what is proven of it was saved."""
    Path("p.yaml").write_text(RUN_IN_PROD)
    words = ("run", "p.yaml", "-e", "prod", "--headless")
    assert program(*words).code == exits.WAITS
    run = newest(program)
    _change(state, f"events SET data = {data} WHERE kind = 'attempt_ended'")
    said = unusable(program("resume", run, "--headless", "--answer", "b=done:yes"))
    assert "is not intact, so it cannot be gone on with: Event 3 (attempt_ended)" in said
    assert "runbook audit --recover" in said
    assert len(program("events", run).out.splitlines()) == 5
    if data == "'{'":
        assert "environment prod cannot be known" in unusable(program(*words))
    saved = program("audit", "--recover")
    assert (saved.code, "2 of 5 events; it can only be read" in saved.out) == (exits.STORE, True)
    assert "First: nobody knows what it did" in saved.out
    refused = program("resume", run, "--headless")
    assert "can only be read here: it was saved from a damaged journal" in refused.err
    assert program(*words).code == exits.WAITS
    assert Path("effects").read_text() == "a\na\n", "once a run"


def test_what_still_runs_of_a_saved_run_keeps_its_environment(
    program: Program, state: Path
) -> None:
    Path("wait.sh").write_text("touch begun\nuntil [ -e go ]; do sleep 0.05; done\n")
    Path("p.yaml").write_text(RUN_IN_PROD.replace("echo a >> effects", "bash wait.sh"))
    process = Process(state, Path.cwd())
    words = ("run", "p.yaml", "-e", "prod", "--headless")
    process.run(*words, fault="driver.after-spawn@a:kill").expect(-9)
    until(Path("begun").exists, "the step's beginning")
    run = newest(program)
    _change(state, "heads SET count = 9")
    assert program("audit", "--recover").code == exits.STORE
    refused = program(*words)
    assert (refused.code, "still runs: First" in refused.err) == (exits.IN_USE, True)
    Path("go").touch()
    until(lambda: program(*words).code == exits.WAITS, "the end of the step")
    assert run != newest(program)


def page_of(file: Path, name: str) -> int:
    """Return the number of the first page of a table or an index, from 1."""
    with closing(sqlite3.connect(file)) as raw:
        found = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,))
        return int(found.fetchone()[0])


def test_audit_takes_a_run_or_the_whole_journal(program: Program) -> None:
    assert program("audit").code == exits.USAGE
    assert program("audit", "1123-k7f3", "--recover").code == exits.USAGE


# Clocks


def test_a_clock_that_jumps_back_changes_neither_order_nor_who_drives(
    program: Program, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a.yaml", "- {id: a, run: test -e ok}\n- {id: b, run: echo b}")
    with monkeypatch.context() as tomorrow:
        tomorrow.setattr(store, "open_journal", partial(open_journal, clock=_tomorrow))
        assert program("run", "a.yaml", "--headless").code == exits.FAILED
    run = newest(program)
    Path("ok").touch()
    resumed = program("resume", run, "--headless", "--answer", "a=retry")
    assert resumed.code == exits.DONE, resumed.out + resumed.err
    assert program("audit", run).code == exits.DONE
    with open_journal(state) as journal:
        records = journal.read(run)
        assert [one.seq for one in records] == list(range(1, len(records) + 1))
        assert records[0].at > records[-1].at, "the clock went back in between"
        [away] = [one.data["away"] for one in records if one.kind == "run_resumed"]
        assert away == 0.0
        assert [one.token for one in records] == sorted(one.token for one in records)
        assert records[-1].token > records[0].token
    assert program("show", run, "--json").json()["status"] == "succeeded"
    assert program("report", run).code == exits.DONE


def _tomorrow() -> str:
    return clock.write(datetime.now(UTC) + timedelta(days=1))


# Two programs


def test_a_journal_of_a_newer_program(program: Program, state: Path) -> None:
    assert program("runs").code == exits.DONE
    with closing(sqlite3.connect(state / "journal.db")) as raw:
        raw.execute(f"PRAGMA user_version = {sqlite_open.SCHEMA_VERSION + 1}")
    assert "was written by a newer runbook" in unusable(program("runs"))


@pytest.mark.parametrize(
    "change", [{"kind": "run_beamed"}, {"data": {"text": "x", "step": None, "mood": "good"}}]
)
def test_an_event_of_a_newer_program(
    program: Program, state: Path, change: dict[str, object]
) -> None:
    write("a.yaml", "- {id: a, run: 'false'}")
    assert program("run", "a.yaml", "--headless").code == exits.FAILED
    other = newest(program)
    assert program("run", "a.yaml", "--headless").code == exits.FAILED
    run = newest(program)
    assert program("note", run, "as now").code == exits.DONE
    _newer(state, run, change)
    before = program("events", run).out
    for words in (("show", run), ("report", run), ("resume", run, "--headless"), ("log", run, "a")):
        said = unusable(program(*words))
        assert "a newer runbook wrote it" in said
        assert "Use the newer program" in said
    listed = program("runs")
    assert (listed.code, other in listed.out, "newer" in listed.err) == (exits.STORE, True, True)
    assert "cannot read all of it" in program("audit", run).out
    assert program("events", run).out == before, "nothing was added by the older program"
    assert program("show", other).code == exits.DONE


def _newer(state: Path, run: str, change: dict[str, object]) -> None:
    """Change the run's last event as a newer program might have written it, chain and all."""
    with open_journal(state) as journal:
        last = journal.read(run)[-1]
    made: Record = replace(last, **change)  # type: ignore[arg-type]
    made = replace(made, hash=record_hash(made))
    assert made.prev != GENESIS
    with closing(sqlite3.connect(state / "journal.db")) as raw, raw:
        raw.execute("DELETE FROM events WHERE run = ? AND seq = ?", (run, made.seq))
        raw.execute(INSERT, row_of(made, canonical(made.data)))
        raw.execute("UPDATE heads SET hash = ? WHERE run = ?", (made.hash, run))


# What a worker left


@pytest.mark.parametrize("lost", ["half of its result", "its directory"])
def test_what_a_worker_left_is_gone_or_half_written(
    program: Program, state: Path, tmp_path: Path, lost: str
) -> None:
    write("a.yaml", "- {id: a, run: 'echo once >> effects'}\n- {id: b, run: echo b}")
    process = Process(state, tmp_path)
    process.run("run", "a.yaml", "--headless", fault="driver.after-spawn@a:kill").expect(-9)
    run = newest(program)
    attempt = state / "runs" / run / "attempts" / "a.1"
    until((attempt / "result.json").exists, "the step's result")
    if lost == "its directory":
        shutil.rmtree(attempt)
    else:
        whole = (attempt / "result.json").read_bytes()
        (attempt / "result.json").write_bytes(whole[: len(whole) // 2])
    resumed = program("resume", run, "--headless")
    assert resumed.code == exits.WAITS, resumed.out + resumed.err
    shown = program("show", run, "--json").json()["steps"][0]
    assert shown["status"] == "unknown"
    assert ("not JSON" in shown["reason"]) == (lost != "its directory")
    answer = ("--answer", "a=skip:it is there, I looked")
    assert program("resume", run, "--headless", *answer).code == exits.DONE
    assert Path("effects").read_text() == "once\n"
