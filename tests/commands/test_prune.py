"""`runbook runs --prune`: what is finished goes whole, what may be needed stays."""

from __future__ import annotations

import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from runbook_tui import exits
from runbook_tui.archive.families import Wish, families, judge
from runbook_tui.archive.prune import prune
from runbook_tui.engine import clock
from state.codec import head_of
from state.events import NoteAdded
from state.stores.sqlite import open_journal
from state.stores.store import open_local
from tests.commands.conftest import Program, newest, write
from tests.harness.processes import DEADLINE, until
from tests.harness.program import Program as Process

ALL = ("runs", "--prune", "--older-than", "0s", "--yes")


@pytest.fixture
def state() -> Path:
    return Path(os.environ["RUNBOOK_STATE"])


def ran(program: Program, steps: str, code: int = exits.DONE) -> str:
    """Run a runbook to its end; return the run's id."""
    write("one.yaml", steps)
    assert program("run", "one.yaml", "--headless").code == code
    return newest(program)


def here(program: Program, state: Path) -> tuple[set[str], set[str]]:
    """Return the runs that the journal knows, and those that have files."""
    known = {one["run"] for one in program("runs", "--json").json()}
    return known, {path.name for path in (state / "runs").iterdir()}


def test_finished_runs_go_with_all_that_is_theirs(program: Program, state: Path) -> None:
    one, two = ran(program, "- run: echo 1"), ran(program, "- run: echo 2")
    failed = ran(program, "- run: 'false'", exits.FAILED)
    looked = program("runs", "--prune", "--older-than", "0s", "--dry-run")
    assert (looked.code, one in looked.out, two in looked.out) == (exits.DONE, True, True)
    assert "2 runs to remove" in looked.out
    assert "can be resumed (failed); --force" in looked.out
    everything = {one, two, failed}
    assert here(program, state) == (everything, everything)
    done = program(*ALL)
    assert (done.code, "Removed 2 runs" in done.out) == (exits.DONE, True)
    assert here(program, state) == ({failed}, {failed})
    with closing(sqlite3.connect(state / "journal.db")) as raw:
        assert raw.execute("SELECT count(DISTINCT hash) FROM blobs").fetchone() == (1,)
    assert program("resume", failed, "--headless", "--answer", "run=skip:old").code == exits.DONE
    assert "Removed 1 run," in program(*ALL).out
    assert here(program, state) == (set(), set())
    assert "0 runs to remove" in program(*ALL).out


def test_what_age_and_count_keep(program: Program, state: Path) -> None:
    runs = [ran(program, f"- run: echo {number}") for number in range(3)]
    assert "stays: 3, not old enough" in program("runs", "--prune", "--yes").out
    looked = program("runs", "--prune", "--keep", "2", "--dry-run").out
    assert (runs[0] in looked, runs[1] in looked) == (True, False)
    assert "stays: 2, one of the newest 2" in looked
    both = program("runs", "--prune", "--keep", "2", "--older-than", "1h", "--yes").out
    assert "0 runs to remove" in both
    assert program("runs", "--prune", "--keep", "1", "--yes").code == exits.DONE
    assert here(program, state) == ({runs[2]}, {runs[2]})


@pytest.mark.parametrize(
    "words",
    [
        ("--older-than", "soon"),
        ("--keep", "-1"),
        ("--json",),
    ],
)
def test_wrong_words(program: Program, words: tuple[str, ...]) -> None:
    assert program("runs", "--prune", *words).code == exits.USAGE
    assert program("runs", "--force").code == exits.USAGE


def test_a_rollback_goes_with_its_base_and_waits_for_it(program: Program, state: Path) -> None:
    steps = "- {id: a, run: echo, undo: {run: test -e ok}}\n- {id: b, run: 'false'}"
    run = ran(program, steps, exits.FAILED)
    assert program("rollback", run, "--headless").code == exits.FAILED
    back = f"{run}-back"
    assert "0 runs to remove" in program(*ALL).out
    Path("ok").touch()
    answer = ("--answer", "undo-a=retry")
    assert program("resume", run, "--headless", *answer).code == exits.ROLLED_BACK
    assert here(program, state)[0] == {run, back}
    done = program(*ALL)
    assert f"(with {back})" in done.out
    assert here(program, state) == (set(), set())


def test_only_force_removes_what_could_be_resumed(program: Program, state: Path) -> None:
    failed = ran(program, "- run: 'false'", exits.FAILED)
    assert "0 runs to remove" in program(*ALL).out
    assert f"{failed} " in program(*ALL, "--force").out
    assert here(program, state) == (set(), set())


def test_what_runs_stays_even_by_force(program: Program, state: Path, tmp_path: Path) -> None:
    script = 'echo begun; while [ ! -e "$PWD/go" ]; do sleep 0.05; done'
    write("slow.yaml", f"- {{id: slow, run: '{script}'}}")
    with Process(state, tmp_path).start("run", "slow.yaml", "--headless") as driver:
        try:
            until(lambda: list(state.glob("runs/*/attempts/*/main")), "the step")
            said = program(*ALL, "--force").out
            assert "stays: 1, somebody drives it" in said
            driver.kill()
            driver.wait(DEADLINE)
            assert "stays: 1, slow still runs" in program(*ALL, "--force").out
            assert len(here(program, state)[0]) == 1
        finally:
            (tmp_path / "go").touch()
    run = newest(program)
    until(lambda: list(state.glob("runs/*/attempts/*/result.json")), "the step's end")
    assert program("resume", run, "--headless").code == exits.DONE


def test_a_run_that_went_on_between_the_look_and_the_removal_stays(
    program: Program, state: Path
) -> None:
    run, other = ran(program, "- run: echo 1"), ran(program, "- run: echo 2")
    with open_local(state) as store:
        assert store.keeper is not None
        going = judge(store, families(store)[0], Wish(0.0, None), clock.utc())
        assert program("note", run, "I need this").code == exits.DONE
        done = prune(store, store.keeper, going, "dana")
    assert [one.family.runs for one in done.removed] == [[other]]
    assert [one.runs for one in done.spared] == [[run]]
    assert here(program, state) == ({run}, {run})


@pytest.mark.parametrize("point", ["prune.marked", "prune.removed"])
def test_killed_in_the_middle_a_run_is_whole_or_gone(
    program: Program, state: Path, tmp_path: Path, point: str
) -> None:
    run = ran(program, "- {id: hello, run: echo hello}")
    Process(state, tmp_path).run(*ALL, fault=f"{point}:kill").expect(-9)
    if point == "prune.marked":
        assert program("audit", run).code == exits.DONE
        assert program("log", run, "hello").out == "hello\n"
    else:
        assert program("runs", "--json").json() == []
    other = ran(program, "- {id: other, run: echo}")
    program("runs", "--prune", "--keep", "1", "--yes")
    assert program(*ALL).code == exits.DONE
    assert other not in here(program, state)[0]
    assert here(program, state) == (set(), set())


def test_a_damaged_run_is_left_alone(program: Program, state: Path) -> None:
    run = ran(program, "- run: echo")
    with closing(sqlite3.connect(state / "journal.db")) as raw, raw:
        raw.execute("UPDATE events SET kind = 'nonsense' WHERE seq = 2")
    said = program(*ALL, "--force")
    assert f"stays: {run}, which is not intact" in said.out
    assert (state / "runs" / run).is_dir()


def test_a_person_is_asked_and_a_pipe_is_not(program: Program, state: Path) -> None:
    run = ran(program, "- run: echo")
    refused = program("runs", "--prune", "--older-than", "0s")
    assert (refused.code, "--yes" in refused.err) == (exits.USAGE, True)
    for answer, left in (("n", {run}), ("y", set())):
        assert asked(answer) == exits.DONE
        assert here(program, state)[0] == left


def asked(answer: str) -> int:
    """Prune on a terminal, where the question is answered; return the exit code."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "runbook_tui", "runs", "--prune", "--older-than", "0s"]
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs) as program:
        os.close(theirs)
        said = b""
        try:
            while b"[y/N]" not in said:
                said += os.read(ours, 1024)
            os.write(ours, f"{answer}\n".encode())
            while True:
                os.read(ours, 1024)
        except OSError:  # the terminal ends with its last program
            pass
        finally:
            os.close(ours)
    return program.returncode


def test_the_room_comes_back(program: Program, state: Path) -> None:
    run = ran(program, "- run: echo")
    with open_journal(state) as journal:
        notes = [NoteAdded("x" * 1000)] * 3000
        records = journal.append(run, notes, operator="d", host="h", token=1)
        assert journal.head(run) == head_of(records[-1])
    before = (state / "journal.db").stat().st_size
    assert before > 3_000_000
    assert "The journal's file is" in program(*ALL).out
    assert (state / "journal.db").stat().st_size < 1_000_000
