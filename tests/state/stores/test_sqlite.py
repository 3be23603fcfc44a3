"""The journal in SQLite: what it acknowledged is kept, what it cannot vouch for it refuses."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from state.audit import audit
from state.codec import Head, head_of, record_line
from state.errors import (
    Fenced,
    FoldError,
    Overtaken,
    StoreCorrupt,
    StoreError,
    StoreNewer,
    StoreUnusable,
)
from state.events import NoteAdded, Record
from state.fold import fold
from state.messages import DAMAGED
from state.stores import sqlite_checks, sqlite_open
from state.stores.salvage import sound
from state.stores.sqlite import SqliteJournal, open_journal, open_reader
from state.stores.store import open_local
from tests.harness.records import started

RUN = "1123-k7f3"


def begin(journal: SqliteJournal, run: str = RUN, **sources: bytes) -> Record:
    """Begin a run of three steps."""
    return journal.create_run(
        run, started("a", "b", "c"), operator="dana", host="bastion", token=1, sources=sources
    )


def note(journal: SqliteJournal, *texts: str, token: int = 1, after: int | None = None) -> None:
    """Append notes in one transaction."""
    payloads = [NoteAdded(text) for text in texts]
    journal.append(RUN, payloads, operator="dana", host="bastion", token=token, after=after)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A state directory that does not exist yet."""
    return tmp_path / "state"


@pytest.fixture
def journal(directory: Path) -> Iterator[SqliteJournal]:
    with open_journal(directory) as opened:
        yield opened


def test_what_was_appended_is_read_in_order_by_this_and_any_later_connection(
    journal: SqliteJournal, directory: Path
) -> None:
    first = begin(journal)
    rest = journal.append(
        RUN, [NoteAdded("one"), NoteAdded("two")], operator="lee", host="desk", token=1, after=1
    )
    everything = [first, *rest]
    assert journal.read(RUN) == everything
    assert journal.read(RUN, after=1) == rest
    assert journal.head(RUN) == head_of(rest[-1]) == Head(3, rest[-1].hash)
    assert [(one.operator, one.host) for one in rest] == [("lee", "desk")] * 2
    journal.close()
    with open_journal(directory) as again:
        assert again.read(RUN) == everything
        assert audit(everything, again.head(RUN)) == []
        assert fold(again.read(RUN)) == fold(everything)


def test_the_definition_is_kept_byte_for_byte_and_an_altered_copy_is_refused(
    journal: SqliteJournal, directory: Path
) -> None:
    crlf = b"runbook: x\r\n\xff"
    begin(journal, "one", **{"deploy.yaml": crlf, "env.yaml": b""})
    begin(journal, "two", **{"deploy.yaml": crlf})
    assert journal.sources("one") == {"deploy.yaml": crlf, "env.yaml": b""}
    with closing(sqlite3.connect(directory / "journal.db")) as raw, raw:
        assert raw.execute("SELECT count(*) FROM blobs").fetchone() == (2,)
        raw.execute("UPDATE blobs SET content = ? WHERE content = ?", (b"forged", crlf))
    with pytest.raises(StoreCorrupt, match=r"deploy\.yaml that the run two began with was altered"):
        journal.sources("two")


def test_an_older_token_and_a_stale_reader_cannot_write(journal: SqliteJournal) -> None:
    begin(journal)
    note(journal, "taken over", token=2)
    with pytest.raises(Fenced):
        note(journal, "late", token=1)
    with pytest.raises(Overtaken):
        note(journal, "stale", token=2, after=1)
    note(journal, "knows all", token=2, after=2)
    assert [record.token for record in journal.read(RUN)] == [1, 2, 2]


def test_a_writer_that_was_overtaken_by_another_connection_notices(
    journal: SqliteJournal, directory: Path
) -> None:
    begin(journal)
    note(journal, "one")
    with open_journal(directory) as other:
        note(other, "two", token=1)
        note(journal, "three")
        note(other, "taken over", token=2)
    with pytest.raises(Fenced):
        note(journal, "late", token=1)
    with pytest.raises(Overtaken):
        note(journal, "stale", token=2, after=4)
    assert len(journal.read(RUN)) == 5
    assert audit(journal.read(RUN), journal.head(RUN)) == []


def test_a_reader_sees_what_is_written_and_writes_nothing(
    journal: SqliteJournal, directory: Path
) -> None:
    begin(journal)
    with open_reader(directory) as reader:
        assert len(reader.read(RUN)) == 1
        note(journal, "later")
        assert len(reader.read(RUN)) == 2
        with pytest.raises(StoreError):
            note(reader, "not mine to write")
        assert len(reader.read(RUN)) == 2


_WRITER = """
import sys
from pathlib import Path
from state.events import NoteAdded
from state.stores.sqlite import open_journal
journal = open_journal(Path(sys.argv[1]))
for number in range(1, 1 + int(sys.argv[2])):
    notes = [NoteAdded(f"{number}.{part}") for part in range(3)]
    journal.append("1123-k7f3", notes, operator="d", host="h", token=1)
    print(number, flush=True)
"""


def writer(directory: Path, times: int) -> subprocess.Popen[str]:
    """Start a process that appends three notes at a time and says each time that it has."""
    argv = [sys.executable, "-c", _WRITER, str(directory), str(times)]
    checkout = Path(__file__).parents[3]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=checkout, text=True)


def test_two_processes_write_one_chain(journal: SqliteJournal, directory: Path) -> None:
    begin(journal)
    with writer(directory, 15) as one, writer(directory, 15) as other:
        assert (one.wait(), other.wait()) == (0, 0)
    assert len(journal.read(RUN)) == 1 + 2 * 15 * 3
    assert audit(journal.read(RUN), journal.head(RUN)) == []


def test_a_killed_writer_loses_nothing_that_it_acknowledged(
    journal: SqliteJournal, directory: Path
) -> None:
    begin(journal)
    journal.close()
    total = 0
    for enough in (1, 7, 20):
        with writer(directory, 100_000) as victim:
            assert victim.stdout is not None
            for _ in range(enough):
                assert victim.stdout.readline()
            victim.kill()
            acknowledged = enough + len(victim.stdout.readlines())
        with open_journal(directory) as again:
            records, head = again.read(RUN), again.head(RUN)
        written = len(records) - 1 - total
        assert written % 3 == 0, "a transaction was torn"
        assert acknowledged <= written // 3 <= acknowledged + 1
        assert audit(records, head) == []
        total += written


class _Unsure(sqlite3.Connection):
    """A connection whose next commit happens, and is then said to have failed (a bad fsync)."""

    def execute(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        cursor = super().execute(statement, values)
        if statement == "COMMIT":
            problem = sqlite3.OperationalError("disk I/O error")
            problem.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise problem
        return cursor


def test_a_commit_that_failed_may_have_happened_so_it_is_read_again(
    journal: SqliteJournal, directory: Path
) -> None:
    begin(journal)
    journal.close()
    journal._open = sqlite3.connect(directory / "journal.db", factory=_Unsure, isolation_level=None)
    with pytest.raises(StoreUnusable, match="disk I/O error"):
        note(journal, "kept after all", after=1)
    with pytest.raises(Overtaken):
        note(journal, "written blindly", after=1)
    assert [record.data.get("text") for record in journal.read(RUN)][1:] == ["kept after all"]


def test_files_are_the_owners_alone_and_settings_are_in_force(
    journal: SqliteJournal, directory: Path
) -> None:
    begin(journal)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    files = ("journal.db", "journal.db-wal", "journal.db-shm", "ballast")
    assert modes == dict.fromkeys(files, 0o600)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    database = journal._database()
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert (directory / "ballast").stat().st_size == sqlite_checks.BALLAST_BYTES
    journal.close()
    (directory / "journal.db").chmod(0o644)
    with open_reader(directory):
        assert stat.S_IMODE((directory / "journal.db").stat().st_mode) == 0o600


def refusal(directory: Path, kind: type[StoreError]) -> str:
    """Return the sentence and advice with which opening is refused."""
    with pytest.raises(kind) as caught:
        open_journal(directory)
    assert type(caught.value) is kind
    return f"{caught.value.sentence} {caught.value.advice}"


def test_a_newer_schema_is_refused(journal: SqliteJournal, directory: Path) -> None:
    journal.close()
    with closing(sqlite3.connect(directory / "journal.db")) as raw:
        raw.execute(f"PRAGMA user_version = {sqlite_open.SCHEMA_VERSION + 1}")
    newer = f"its schema is {sqlite_open.SCHEMA_VERSION + 1}, this program knows"
    assert newer in refusal(directory, StoreNewer)


@pytest.mark.parametrize(
    "damage", ["data = '{'", "data = '[]'", "data = CAST(X'7BFF7D' AS TEXT)", "kind = 'stoq'"]
)
def test_a_message_that_was_damaged_says_nothing(
    journal: SqliteJournal, directory: Path, damage: str
) -> None:
    begin(journal)
    with open_local(directory) as store:
        store.inbox.send(RUN, "stop", {"step": "a"}, sender="lee", host="desk")
        sent = store.inbox.send(RUN, "note", {"text": "hear"}, sender="lee", host="desk")
        with closing(sqlite3.connect(directory / "journal.db")) as raw, raw:
            raw.execute(f"UPDATE inbox SET {damage} WHERE kind = 'stop'")
        first, second = store.inbox.pending(RUN)
        assert (first.kind, first.data, second) == (DAMAGED, {}, sent)


def test_a_file_of_an_older_program_is_brought_up_to_date(
    journal: SqliteJournal, directory: Path
) -> None:
    begin(journal)
    kept = journal.read(RUN)
    journal.close()
    with closing(sqlite3.connect(directory / "journal.db")) as raw, raw:
        raw.execute("DROP TABLE inbox")
        raw.execute("ALTER TABLE heads DROP COLUMN origin")
        raw.execute("PRAGMA user_version = 1")
    for _ in range(2):
        with open_local(directory, write=False) as store:
            assert store.journal.read(RUN) == kept
            assert store.inbox.pending(RUN) == []
    with open_local(directory) as store:
        sent = store.inbox.send(RUN, "note", {"text": "new"}, sender="lee", host="desk")
        assert store.inbox.pending(RUN) == [sent]


@pytest.mark.parametrize("mark", ["PRAGMA application_id = 7", "CREATE TABLE albums (title)"])
def test_a_database_of_something_else_is_refused(directory: Path, mark: str) -> None:
    directory.mkdir(0o700)
    with closing(sqlite3.connect(directory / "journal.db")) as raw:
        raw.execute(mark)
    assert "is not a runbook journal" in refusal(directory, StoreUnusable)


@pytest.mark.parametrize("kept", [100, 5000])
def test_a_damaged_file_is_refused_with_the_way_to_save_what_is_left(
    journal: SqliteJournal, directory: Path, kept: int
) -> None:
    begin(journal)
    note(journal, *("x" * 2000 for _ in range(20)))
    journal.close()
    file = directory / "journal.db"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(StoreCorrupt) as caught, open_journal(directory) as again:
        again.read(RUN)
    assert "is damaged" in caught.value.sentence
    assert "runbook audit --recover" in caught.value.advice


def test_a_file_that_is_no_database_is_refused(directory: Path) -> None:
    directory.mkdir(0o700)
    (directory / "journal.db").write_bytes(b"not a database, by any means" * 100)
    assert "is damaged: file is not a database" in refusal(directory, StoreCorrupt)


def test_an_emptied_or_lost_file_is_not_taken_for_a_new_journal(
    journal: SqliteJournal, directory: Path
) -> None:
    journal.close()
    (directory / "runs").mkdir()
    (directory / "journal.db").write_bytes(b"")
    assert "is empty, but there are runs" in refusal(directory, StoreCorrupt)
    (directory / "journal.db").unlink()
    (directory / "journal.db-wal").write_bytes(b"what was not folded in yet")
    assert "is gone, but its write-ahead log is there" in refusal(directory, StoreCorrupt)


@pytest.mark.parametrize("data", ["'{'", """'{"text": NaN}'""", "'[]'", "CAST(X'7BFF7D' AS TEXT)"])
def test_an_event_that_is_no_json_is_found_by_its_hash_and_the_others_are_read(
    journal: SqliteJournal, directory: Path, data: str
) -> None:
    begin(journal)
    note(journal, "one", "two")
    with closing(sqlite3.connect(directory / "journal.db")) as raw, raw:
        raw.execute(f"UPDATE events SET data = {data} WHERE seq = 2")
    records = journal.read(RUN)
    faults = audit(records, journal.head(RUN), RUN)
    assert [fault.text for fault in faults] == ["Event 2 (note_added) is not as it was written."]
    assert "not JSON" in record_line(records[1])
    assert records[2].data["text"] == "two"
    with pytest.raises(FoldError, match=r"event 2 .* is not JSON any more") as caught:
        fold(records)
    assert caught.value.run == RUN


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # Inside a name in the schema: one that is a name still, and one that is no text.
        (b"    hash TEXT NOT NULL,\n    token", b"    hush TEXT NOT NULL,\n    token"),
        (b"    hash TEXT NOT NULL,\n    token", b"    h\xffsh TEXT NOT NULL,\n    token"),
    ],
)
def test_tables_that_are_not_ours_any_more_are_damage(
    journal: SqliteJournal, directory: Path, old: bytes, new: bytes
) -> None:
    begin(journal)
    journal.close()
    file = directory / "journal.db"
    content = file.read_bytes()
    assert old in content
    file.write_bytes(content.replace(old, new))
    with pytest.raises(StoreCorrupt) as caught, open_journal(directory) as again:
        again.head(RUN)
    assert "is damaged" in caught.value.sentence
    assert "runbook audit --recover" in caught.value.advice
    assert not sound(file)


def test_directories_that_are_not_ours_alone_are_refused(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.mkdir(0o755)
    (directory / "something").touch()
    assert f"is open to other users. Close it: chmod 700 {directory}" in refusal(
        directory, StoreUnusable
    )
    file = tmp_path / "file"
    file.touch()
    assert "is not a directory" in refusal(file, StoreUnusable)
    assert "cannot be made: Not a directory" in refusal(file / "below", StoreUnusable)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    mine = tmp_path / "mine"
    assert f"belongs to the user with id {os.getuid()}" in refusal(mine, StoreUnusable)


def test_an_empty_directory_of_ours_is_closed_to_others(directory: Path) -> None:
    directory.mkdir(0o755)
    open_journal(directory).close()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


MOUNTS = [
    "22 27 0:21 / /proc rw,relatime - proc proc rw",
    "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
    "40 27 0:50 / /home rw shared:1 - nfs4 server:/home rw",
    r"41 27 0:51 / /mnt/my\040disk rw - fuse.sshfs host: rw",
    "42 40 0:52 / /home/dana/local rw - xfs /dev/vdb rw",
    "43 27 0:53 / /mnt/over rw - nfs4 server:/old rw",
    "44 43 0:54 / /mnt/over rw - ext4 /dev/vdc rw",
    "torn line",
]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/home/dana/.local/state", "nfs4"),
        ("/home2", "ext4"),
        ("/home/dana/local/x", "xfs"),
        ("/mnt/my disk/x", "fuse.sshfs"),
        ("/mnt/over/x", "ext4"),
    ],
)
def test_the_file_system_of_a_directory_is_that_of_its_nearest_mount(path: str, kind: str) -> None:
    assert sqlite_checks.file_system(Path(path), MOUNTS) == kind


def test_a_network_file_system_is_refused(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_checks, "_mounts", lambda: ["1 0 0:1 / / rw - nfs4 server:/ rw"])
    assert "is on a network file system (nfs4)" in refusal(directory, StoreUnusable)
