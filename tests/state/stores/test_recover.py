"""A damaged journal: what can be read of it is saved, and nothing more is claimed."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from state.audit import audit
from state.codec import head_of
from state.errors import ImportedRun, StoreCorrupt, StoreError, StoreUnusable
from state.events import DefinitionAdopted, NoteAdded, Record
from state.kept import Kept
from state.stores import locks
from state.stores.recover import recover
from state.stores.sqlite import open_journal
from state.stores.sqlite_keeper import SqliteKeeper
from state.stores.store import open_local
from tests.harness.records import chained, started

PAGE = 4096
NOW = "2026-11-28T21:00:00.000000Z"
RUNS = ("one", "two", "three")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A state directory with three runs of eleven events, some pages long, and an imported one."""
    directory = tmp_path / "state"
    with open_journal(directory) as journal:
        for run in RUNS:
            files = {"deploy.yaml": f"runbook: {run}\n".encode() * 20}
            journal.create_run(run, started("a"), operator="d", host="h", token=1, sources=files)
            for _ in range(10):
                journal.append(run, [NoteAdded("x" * 900)], operator="d", host="h", token=1)
        records = chained([started("a"), NoteAdded("from afar")], run="far")
        kept = Kept("far", records, {"deploy.yaml": b"far"}, "imported from far.tar.gz")
        SqliteKeeper(journal).adopt([kept])
    return directory


def contents(directory: Path) -> dict[str, list[Record]]:
    """Return all records of all runs."""
    with open_journal(directory) as journal:
        return {run: journal.read(run) for run in journal.runs()}


def damage(directory: Path, page: int) -> None:
    """Overwrite a page of the journal's file."""
    with (directory / "journal.db").open("r+b") as file:
        file.seek(page * PAGE)
        file.write(b"\xa5" * PAGE)


def test_whatever_page_is_lost_the_rest_is_saved_and_no_more_is_claimed(
    directory: Path, tmp_path: Path
) -> None:
    before = contents(directory)
    pages = (directory / "journal.db").stat().st_size // PAGE
    assert pages > 12
    whole = cut = lost = 0
    for page in range(1, pages):
        copy = Path(shutil.copytree(directory, tmp_path / f"page-{page}"))
        damage(copy, page)
        try:
            done = recover(copy, NOW)
        except StoreCorrupt:
            lost += 1
            continue
        if done.damaged is None:
            continue
        assert (done.damaged / "journal.db").stat().st_size == pages * PAGE
        after = contents(copy)
        for one in done.saved:
            run = one.kept.run
            found = after.pop(run)
            assert found == before[run][: len(found)], (page, run)
            with open_local(copy) as store:
                assert audit(found, store.journal.head(run)) == []
                assert (store.origin(run) is None) == (one.whole and run != "far")
            whole += one.whole
            cut += not one.whole
        assert after == {}
    assert lost <= 1, "only without the page that all events hang on nothing can be read"
    assert whole > pages, "most runs are whole whatever page is lost"
    assert cut > 3, "some pages held events"


def test_however_much_of_the_end_is_cut_off_the_rest_is_saved(
    directory: Path, tmp_path: Path
) -> None:
    before = contents(directory)
    pages = (directory / "journal.db").stat().st_size // PAGE
    saved = 0
    for left in range(1, pages):
        copy = Path(shutil.copytree(directory, tmp_path / f"left-{left}"))
        with (copy / "journal.db").open("r+b") as file:
            file.truncate(left * PAGE - 100)
        try:
            done = recover(copy, NOW)
        except StoreCorrupt:
            continue
        after = contents(copy)
        for one in done.saved:
            found = after[one.kept.run]
            assert found == before[one.kept.run][: len(found)]
        saved += sum(one.whole for one in done.saved)
    assert saved > pages


def cut_short(directory: Path) -> None:
    """Have the journal lose the last events of the run `two`, as if their page was lost."""
    with closing(sqlite3.connect(directory / "journal.db")) as raw, raw:
        raw.execute("DELETE FROM events WHERE run = 'two' AND seq > 7")
        raw.execute("UPDATE events SET hash = 'x' WHERE run = 'three' AND seq = 5")
        raw.execute("DELETE FROM sources WHERE run = 'one'")
    with closing(sqlite3.connect(directory / "journal.db")) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(root,)] = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'inbox'")
    damage(directory, root - 1)


def test_what_was_cut_is_read_only_and_says_so(directory: Path) -> None:
    before = contents(directory)
    cut_short(directory)
    done = recover(directory, NOW)
    assert {one.kept.run: one.whole for one in done.saved} == {
        "one": False,
        "two": False,
        "three": False,
        "far": True,
    }
    after = contents(directory)
    assert (after["two"], after["three"]) == (before["two"][:7], before["three"][:4])
    assert after["one"] == before["one"]
    with open_local(directory) as store:
        assert "7 of 11 events" in str(store.origin("two"))
        assert "4 of 11 events" in str(store.origin("three"))
        assert "without all the files" in str(store.origin("one"))
        assert store.origin("far") == "imported from far.tar.gz"
        with pytest.raises(ImportedRun):
            store.journal.append("two", [NoteAdded("x")], operator="d", host="h", token=9)
        store.journal.create_run(
            "new", started("a"), operator="d", host="h", token=1, sources={"a": b"b"}
        )
        assert store.journal.head("far") == head_of(after["far"][-1])


def test_a_run_whose_chain_does_not_hold_is_cut_though_the_file_is_sound(directory: Path) -> None:
    before = contents(directory)
    with closing(sqlite3.connect(directory / "journal.db")) as raw, raw:
        raw.execute("UPDATE events SET data = '{' WHERE run = 'two' AND seq = 3")
    done = recover(directory, NOW)
    assert [one.kept.run for one in done.saved if not one.whole] == ["two"]
    assert contents(directory) == {**before, "two": before["two"][:2]}
    assert recover(directory, f"{NOW}, later").damaged is None, "what is left is sound"


def test_a_run_that_has_adopted_other_files_is_whole_with_them(directory: Path) -> None:
    changed = b"runbook: changed"
    adopted = DefinitionAdopted(
        definition={},
        files={"deploy.yaml": hashlib.sha256(changed).hexdigest()},
        steps=(),
        kept=(),
        changed=(),
        parameters={},
        locks=(),
        program="1",
    )
    with open_journal(directory) as journal:
        for run in ("one", "two"):
            journal.keep(run, {"kept": changed} if run == "one" else {})
            journal.append(run, [adopted], operator="d", host="h", token=1)
    done = recover(directory, NOW)
    assert {one.kept.run: one.whole for one in done.saved} == {
        "one": True,
        "two": False,
        "three": True,
        "far": True,
    }


def test_what_a_killed_recovery_left_to_do_is_done_at_the_next_opening(
    directory: Path, tmp_path: Path
) -> None:
    """The recovered file is there, the old one and its log still in its place."""
    other = tmp_path / "other"
    with open_journal(other) as journal:
        journal.create_run(
            "saved", started("a"), operator="d", host="h", token=1, sources={"a": b"b"}
        )
    old = open_journal(directory)
    old.append("one", [NoteAdded("in the log")], operator="d", host="h", token=1)
    kept = tmp_path / "kept"
    shutil.copytree(directory, kept)
    old.close()
    assert (kept / "journal.db-wal").stat().st_size
    shutil.copy(other / "journal.db", kept / "journal.db.recovered")
    assert list(contents(kept)) == ["saved"]
    assert not (kept / "journal.db.recovered").exists()


def test_a_sound_file_is_left_as_it_is(directory: Path) -> None:
    before = (directory / "journal.db").read_bytes()
    assert recover(directory, NOW).damaged is None
    assert (directory / "journal.db").read_bytes() == before
    assert [path.name for path in directory.iterdir() if path.name.startswith("damaged")] == []


def test_what_was_not_folded_in_yet_is_saved_too(directory: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with open_journal(directory) as journal:
        journal.append("one", [NoteAdded("only in the log")], operator="d", host="h", token=1)
        shutil.copytree(directory, copy)
    (copy / "journal.db-shm").unlink()
    with closing(sqlite3.connect(directory / "journal.db")) as raw:
        [(root,)] = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'inbox'")
    damage(copy, root - 1)
    done = recover(copy, NOW)
    assert done.damaged is not None
    assert (done.damaged / "journal.db-wal").exists()
    assert contents(copy)["one"][-1].data["text"] == "only in the log"


@pytest.mark.parametrize("content", [b"", b"not a database" * 500])
def test_where_nothing_can_be_read_nothing_is_touched(directory: Path, content: bytes) -> None:
    (directory / "journal.db").write_bytes(content)
    refused(directory, StoreCorrupt, "Nothing can be read")
    assert (directory / "journal.db").read_bytes() == content


def test_others_files_and_driven_runs_are_left_alone(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "journal.db")) as raw:
        raw.execute("PRAGMA application_id = 7")
    refused(directory, StoreUnusable, "is not a runbook journal")
    (directory / "journal.db").unlink()
    refused(directory, StoreCorrupt, "There is no journal")
    taken = locks.acquire(directory, "run", "one", run="one", operator="dana", since=NOW)
    refused(directory, StoreUnusable, "Somebody drives")
    assert isinstance(taken, locks.Lock)
    taken.release()


def refused(directory: Path, kind: type[StoreError], said: str) -> None:
    """See that nothing is recovered, and that nothing of the try is left."""
    with pytest.raises(kind, match=said):
        recover(directory, NOW)
    assert [path for path in directory.iterdir() if "damaged" in path.name] == []
    assert list(directory.glob(".recover-*")) == []
