"""Opens the journal's SQLite file: checks first, then settings that are read back, then schema."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

from state.errors import StoreCorrupt, StoreError, StoreNewer, StoreUnusable
from state.stores import sqlite_checks as checks

SCHEMA_VERSION: Final = 3
APPLICATION_ID: Final = 0x52424B31
"""Marks the file as a runbook journal (`RBK1`)."""
BUSY_SECONDS: Final = 15.0
_FULL_SYNC: Final = 2

_FIRST: Final = """
CREATE TABLE heads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL UNIQUE,
    count INTEGER NOT NULL,
    hash TEXT NOT NULL,
    token INTEGER NOT NULL
);
CREATE TABLE events (
    run TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    operator TEXT NOT NULL,
    host TEXT NOT NULL,
    token INTEGER NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;
CREATE TABLE blobs (hash TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE sources (
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (run, name)
) WITHOUT ROWID;
"""

_INBOX: Final = """
CREATE TABLE inbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    run TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    sender TEXT NOT NULL,
    host TEXT NOT NULL,
    at TEXT NOT NULL,
    done INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX inbox_pending ON inbox (run, number) WHERE NOT done;
"""

_ORIGIN: Final = """
ALTER TABLE heads ADD COLUMN origin TEXT;
"""
"""Where an imported run comes from, in words; NULL for a run of this journal's own."""

_STEPS: Final = (_FIRST, _INBOX, _ORIGIN)
"""What makes each version of the schema from the one before."""

_TRIAL: Final = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=15, isolation_level=None)
db.execute("SELECT count(*) FROM sqlite_master").fetchone()
db.close()
"""


def open_database(directory: Path, *, write: bool) -> sqlite3.Connection:
    """Return a connection to the journal in `directory`, made if there is none.

    Raises StoreUnusable, StoreFull, StoreNewer or StoreCorrupt.
    """
    checks.check_directory(directory)
    tight = checks.free_bytes(directory) < checks.WRITE_BYTES
    checks.check_room(directory, write=write)
    if not checks.check_file(directory):
        checks.make_file(directory)
    elif tight:
        _try_in_child(directory)
    try:
        database = _connect(directory, write=write)
    except (sqlite3.Error, UnicodeDecodeError) as problem:
        raise translate(problem, directory) from problem
    checks.keep_ballast(directory)
    return database


def _try_in_child(directory: Path) -> None:
    """Open in a process of its own first: with no room left, opening may kill the opener."""
    argv = [sys.executable, "-I", "-S", "-c", _TRIAL, str(directory / checks.JOURNAL)]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    if done.returncode < 0:
        raise checks.full(directory, checks.free_bytes(directory))


def _connect(directory: Path, *, write: bool) -> sqlite3.Connection:
    database = sqlite3.connect(
        directory / checks.JOURNAL,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        _check_version(database, directory)
        _settle(database, directory)
        _bring_up_to_date(database)
        if not write:
            database.execute("PRAGMA query_only = ON")
    except BaseException:
        database.close()
        raise
    return database


def _check_version(database: sqlite3.Connection, directory: Path) -> None:
    # Tables first: another program of ours may be making them now, and the marks in one go.
    tables = _tables(database)
    version, mark = _pragma(database, "user_version"), _pragma(database, "application_id")
    if version == 0 and mark == 0 and not tables:
        return
    if mark != APPLICATION_ID:
        raise StoreUnusable(
            f"{directory / checks.JOURNAL} is not a runbook journal.",
            "Name another directory in RUNBOOK_STATE.",
        )
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise StoreNewer(
            f"The journal in {directory} was written by a newer runbook: its schema is {version}, "
            f"this program knows {SCHEMA_VERSION}.",
            "Use the newer program, or name another directory in RUNBOOK_STATE.",
        )


def _settle(database: sqlite3.Connection, directory: Path) -> None:
    """Set what durability rests on, and read it back: SQLite ignores what it cannot do."""
    database.execute("PRAGMA trusted_schema = OFF")
    mode = database.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    database.execute("PRAGMA synchronous = FULL")
    if mode != "wal" or _pragma(database, "synchronous") != _FULL_SYNC:
        raise StoreUnusable(
            f"The journal in {directory} cannot be written safely: SQLite stays in mode {mode}.",
            "Name a directory on a local disk in RUNBOOK_STATE.",
        )


def _bring_up_to_date(database: sqlite3.Connection) -> None:
    """Make the schema, or what an older program's file lacks of it, in one transaction."""
    if _pragma(database, "user_version") == SCHEMA_VERSION:
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        # Another program may have done it while this one waited for the lock.
        found = _pragma(database, "user_version")
        for step in _STEPS[found if isinstance(found, int) else 0 :]:
            for statement in step.split(";"):
                database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _tables(database: sqlite3.Connection) -> object:
    """Return how many there are; another program's file has some before ours are made."""
    return database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def _pragma(database: sqlite3.Connection, name: str) -> object:
    with closing(database.execute(f"PRAGMA {name}")) as rows:
        return rows.fetchone()[0]


def text_of(content: bytes) -> str:
    """Return a damaged text as far as it is one, so that what is around it can be read."""
    return content.decode(errors="replace")


def is_undecodable(problem: Exception) -> bool:
    """Whether a text in the file is not UTF-8, which only damage makes of one of ours."""
    return isinstance(problem, UnicodeDecodeError) or "Could not decode to UTF-8" in str(problem)


def translate(problem: sqlite3.Error | UnicodeDecodeError, directory: Path) -> StoreError:
    """Return the error for the operator that an SQLite error stands for.

    `UnicodeDecodeError` is what Python makes of one whose words name a damaged part of the file.
    """
    file = directory / checks.JOURNAL
    # The low byte is the kind; the rest says more precisely what was being done.
    code = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    free = checks.free_bytes(directory)
    if code == sqlite3.SQLITE_FULL or (
        code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and free < checks.OPEN_BYTES
    ):
        return checks.full(directory, free)
    # SQLITE_ERROR: the statements are always the same, so the tables are not what they were.
    damage = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    if code in damage or is_undecodable(problem):
        said = "a text is not UTF-8" if is_undecodable(problem) else str(problem)
        return StoreCorrupt(
            f"The journal {file} is damaged: {said}.",
            "Restore it from a backup, or save what can be read of it: runbook audit --recover",
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreUnusable(
            f"The journal {file} was kept busy by another program for {BUSY_SECONDS:.0f} s.",
            "See what holds it, then try again.",
        )
    return StoreUnusable(
        f"The journal {file} cannot be used: {problem}.",
        "See that the disk is sound and the directory writable, then try again.",
    )
