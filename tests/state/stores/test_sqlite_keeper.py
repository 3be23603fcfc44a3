"""Whole runs out of the SQLite journal; how they come in is every store's contract."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from state.audit import audit
from state.events import NoteAdded
from state.stores.sqlite import SqliteJournal, open_journal
from state.stores.sqlite_inbox import SqliteInbox
from state.stores.sqlite_keeper import SqliteKeeper
from tests.harness.records import started

SHARED = b"runbook: shared\n"
OWN = b"runbook: own\n"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    with open_journal(tmp_path / "state") as opened:
        yield opened


def begin(journal: SqliteJournal, run: str, source: bytes, notes: int = 0) -> None:
    """Begin a run of this journal's own."""
    files = {"deploy.yaml": source}
    journal.create_run(run, started("a"), operator="d", host="h", token=1, sources=files)
    if notes:
        journal.append(run, [NoteAdded("x" * 1000)] * notes, operator="d", host="h", token=1)


def test_what_is_removed_leaves_nothing_but_what_others_need(journal: SqliteJournal) -> None:
    begin(journal, "one", SHARED, notes=3)
    begin(journal, "two", SHARED)
    begin(journal, "three", OWN)
    SqliteInbox(journal).send("one", "note", {}, sender="lee", host="desk")
    keeper = SqliteKeeper(journal)
    assert keeper.size("one") > 3000 > keeper.size("two") > 0
    keeper.remove(["one", "three", "never"])
    assert journal.runs() == ["two"]
    assert journal.sources("two") == {"deploy.yaml": SHARED}
    with closing(sqlite3.connect(journal.directory / "journal.db")) as raw:
        counts = [
            raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("events", "sources", "blobs", "inbox", "heads")
        ]
    assert counts == [1, 1, 1, 0, 1]
    begin(journal, "one", OWN)
    journal.append("one", [NoteAdded("anew")], operator="d", host="h", token=1)
    assert audit(journal.read("one"), journal.head("one")) == []


def test_the_room_comes_back_when_it_is_worth_it(journal: SqliteJournal) -> None:
    begin(journal, "large", OWN, notes=4000)
    begin(journal, "small", OWN)
    keeper = SqliteKeeper(journal)
    assert keeper.compact() == 0
    keeper.remove(["large"])
    assert keeper.compact() > 3_000_000
    assert (journal.directory / "journal.db").stat().st_size < 1_000_000
    journal.append("small", [NoteAdded("goes on")], operator="d", host="h", token=1)
    assert audit(journal.read("small"), journal.head("small")) == []
