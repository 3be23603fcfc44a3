"""Export, import and prune with the journal in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from runbook_tui import exits
from state.errors import StoreUnusable
from state.events import NoteAdded, Record
from state.stores.location import Location
from state.stores.store import Store
from tests.harness.program import Program
from tests.harness.records import started
from tests.shared.conftest import as_role

LEFT = """
runbook: Say hello
phases:
  - phase: All
    steps: [{id: hello, run: echo hello}, {id: bye, run: echo bye}]
"""
RUNBOOK = """\
runbook: Say hello
phases: [{phase: All, steps: [{id: hello, run: echo hello}]}]
"""


@pytest.fixture
def program(tmp_path: Path, url: str) -> Program:
    """The program on a machine with its own state directory."""
    (tmp_path / "here").mkdir()
    return Program(tmp_path / "state", tmp_path / "here", url=url)


def test_a_run_goes_from_the_shared_journal_to_a_directory_and_back(
    program: Program, tmp_path: Path
) -> None:
    (program.cwd / "hello.yaml").write_text(RUNBOOK)
    program.run("run", "hello.yaml", "--headless").expect(exits.DONE)
    run = program.runs()[0]["run"]
    records = seen(Location(tmp_path / "state", program.url), run)

    # Another machine, which has no file of it, packs it all the same.
    elsewhere = Program(tmp_path / "elsewhere", program.cwd, url=program.url)
    elsewhere.run("export", run, "-o", "out.tar.gz").expect(exits.DONE)
    alone = Program(tmp_path / "alone", program.cwd)
    alone.run("import", "out.tar.gz").expect(exits.DONE)
    assert seen(Location(tmp_path / "alone"), run) == records

    assert "Removed 1 run" in program.run(*_ALL).expect(exits.DONE).output
    assert program.runs() == []
    assert not list((program.state / "runs").iterdir())
    program.run("import", "out.tar.gz").expect(exits.DONE)
    # And what was taken in is read on a machine that never had it.
    assert seen(Location(tmp_path / "third", program.url), run) == records


def test_what_was_not_shared_to_its_end_is_said_where_it_is_packed(
    program: Program, tmp_path: Path, url: str
) -> None:
    (program.cwd / "hello.yaml").write_text(RUNBOOK)
    program.run("run", "hello.yaml", "--headless").expect(exits.DONE)
    run = program.runs()[0]["run"]
    said = f"1 of its tries ran elsewhere and are here in part, runs/{run}/attempts/hello.1 first"
    elsewhere = Program(tmp_path / "elsewhere", program.cwd, url=program.url)
    packed = elsewhere.run("export", run, "-o", "whole.tar.gz").expect(exits.DONE)
    assert said not in packed.output
    with psycopg.connect(url, autocommit=True) as connection:
        # As when the driver was killed before it had shared how the step ended.
        connection.execute("delete from runbook.outputs where attempt like '%/result'")
    later = Program(tmp_path / "later", program.cwd, url=program.url)
    assert said in later.run("export", run, "-o", "part.tar.gz").expect(exits.DONE).output


def test_what_a_killed_driver_had_not_shared_is_shared_when_the_run_goes_on_there(
    program: Program, tmp_path: Path, url: str
) -> None:
    (program.cwd / "hello.yaml").write_text(LEFT)
    program.run("run", "hello.yaml", "--headless", fault="driver.before-intent@bye:kill")
    run = program.runs()[0]["run"]
    attempt = f"runs/{run}/attempts/hello.1"
    (program.state / attempt / "shared").unlink(missing_ok=True)
    with psycopg.connect(url, autocommit=True) as connection:
        # Whether it came so far is a matter of moments: here it did not.
        connection.execute("delete from runbook.outputs")
    program.run("resume", run, "--headless").expect(exits.DONE)
    with Location(tmp_path / "elsewhere", url).open(write=False) as elsewhere:
        assert b"".join(elsewhere.outputs.read(attempt)) == b"hello\n"
    packed = Program(tmp_path / "later", program.cwd, url=url).run("export", run, "-o", "a.tar.gz")
    assert "in part" not in packed.expect(exits.DONE).output


def seen(location: Location, run: str) -> tuple[list[Record], bytes]:
    """Return the events of a run and the output of its step, as one machine sees them."""
    with location.open(write=False) as store:
        output = b"".join(store.outputs.read(f"runs/{run}/attempts/hello.1"))
        assert output == b"hello\n"
        return store.journal.read(run), output


_ALL = ("runs", "--prune", "--older-than", "0s", "--yes")


def begin(store: Store, run: str, source: bytes) -> None:
    """Begin a run and write two notes."""
    files = {"deploy.yaml": source}
    store.journal.create_run(run, started("a"), operator="d", host="h", token=1, sources=files)
    store.journal.append(run, [NoteAdded("x")] * 2, operator="d", host="h", token=1)


def test_the_owner_removes_runs_and_what_only_they_need(store: Store, url: str) -> None:
    assert store.keeper is not None
    for run, source in (("one", b"shared"), ("two", b"shared"), ("three", b"own")):
        begin(store, run, source)
    store.inbox.send("one", "note", {}, sender="lee", host="desk")
    store.keeper.remove(["one", "three", "never"])
    assert store.journal.runs() == ["two"]
    assert store.journal.sources("two") == {"deploy.yaml": b"shared"}
    with psycopg.connect(url) as raw:
        tables = ("events", "sources", "blobs", "inbox", "outputs")
        counts = [
            raw.execute(f"SELECT count(*) FROM runbook.{table}".encode()).fetchone()
            for table in tables
        ]
    assert counts == [(3,), (1,), (1,), (0,), (0,)]


def test_nobody_else_removes_anything(store: Store, url: str, tmp_path: Path) -> None:
    begin(store, "one", b"own")
    with Location(tmp_path / "lee", as_role(url, "lee")).open() as members:
        assert members.keeper is not None
        with pytest.raises(StoreUnusable, match="Only the owner of the journal"):
            members.keeper.remove(["one"])
    assert store.journal.runs() == ["one"]
