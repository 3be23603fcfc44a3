"""The journal in one SQLite file: the embedded default.

Durable by write-ahead log and full synchronisation; one transaction for each call that writes. A
journal may be used from several threads, one at a time; a screen that reads while a driver writes
opens a reader of its own.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from state.codec import EMPTY, NOT_JSON, Head, as_kept, head_of, link
from state.errors import Fenced, ImportedRun, Overtaken, RunExists, StoreCorrupt
from state.events import Payload, Record, RunStarted
from state.stores.sqlite_open import is_undecodable, open_database, text_of, translate

_NOTHING_KEPT = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY)
COLUMNS = "seq, run, at, kind, data, operator, host, token, prev, hash"
INSERT = f"INSERT INTO events ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608


def utc_now() -> str:
    """Return the time as the journal writes it: UTC, microseconds, Z."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def open_journal(directory: Path, clock: Callable[[], str] = utc_now) -> SqliteJournal:
    """Open, or make, the journal in a state directory for writing. Raises StoreError."""
    return SqliteJournal(directory, write=True, clock=clock)


def open_reader(directory: Path) -> SqliteJournal:
    """Open the journal for reading only; made, empty, if there is none. Raises StoreError."""
    return SqliteJournal(directory, write=False)


class SqliteJournal:
    """A `Journal`. After an error in writing it opens the file anew before the next use."""

    def __init__(self, directory: Path, *, write: bool, clock: Callable[[], str] = utc_now) -> None:
        self.directory = directory
        self.clock = clock
        self._write = write
        self._guard = threading.RLock()
        self._known: dict[str, Head] = {}
        """Heads as this connection wrote them last; see `append`."""
        self._open: sqlite3.Connection | None = open_database(directory, write=write)

    def runs(self) -> list[str]:
        """Return the ids of all runs, newest first."""
        rows = self.query("SELECT run FROM heads ORDER BY id DESC")
        return [row[0] for row in rows]

    def head(self, run: str) -> Head | None:
        """Return the run's count and last hash; None when there is no such run."""
        rows = self.query("SELECT count, hash FROM heads WHERE run = ?", run)
        return Head(*rows[0]) if rows else None

    def read(self, run: str, after: int = 0) -> list[Record]:
        """Return the run's records after number `after`, in order."""
        rows = self.query(
            f"SELECT {COLUMNS} FROM events WHERE run = ? AND seq > ? ORDER BY seq",  # noqa: S608
            run,
            after,
        )
        return [self._record(row) for row in rows]

    def sources(self, run: str) -> dict[str, bytes]:
        """Return the definition's files of a run, byte for byte, by name."""
        rows = self.query(
            "SELECT name, content, hash FROM sources JOIN blobs USING (hash) WHERE run = ?", run
        )
        for name, content, digest in rows:
            if hashlib.sha256(content).hexdigest() != digest:
                raise self._damaged(f"the file {name} that the run {run} began with was altered")
        return {name: content for name, content, _ in rows}

    def create_run(
        self,
        run: str,
        started: RunStarted,
        *,
        operator: str,
        host: str,
        token: int,
        sources: Mapping[str, bytes],
    ) -> Record:
        """Begin a run with its first record and its definition's files. Raises RunExists."""
        record, text = link(
            EMPTY, run, self.clock(), started, operator=operator, host=host, token=token
        )
        with self.transaction() as database:
            if database.execute("SELECT 1 FROM heads WHERE run = ?", (run,)).fetchone():
                raise RunExists(run)
            database.execute(
                "INSERT INTO heads (run, count, hash, token) VALUES (?, ?, ?, ?)",
                (run, record.seq, record.hash, token),
            )
            database.execute(INSERT, row_of(record, text))
            keep_sources(database, run, sources)
        return record

    def keep(self, run: str, sources: Mapping[str, bytes]) -> None:
        """Keep files of a definition that the run is about to adopt; see `Journal.keep`."""
        with self.transaction() as database:
            if not database.execute("SELECT 1 FROM heads WHERE run = ?", (run,)).fetchone():
                raise KeyError(run)
            keep_sources(database, run, sources)

    def append(
        self,
        run: str,
        payloads: Sequence[Payload],
        *,
        operator: str,
        host: str,
        token: int,
        after: int | None = None,
    ) -> list[Record]:
        """Add records in one transaction; see `Journal.append`. KeyError for an unknown run."""
        by = (operator, host, token)
        with self.transaction() as database:
            at = self.clock()
            # Mostly nobody else has written since: then the head need not be read again.
            head = self._known.get(run)
            fits = head is not None and after in (None, head.count)
            added = _linked(head, run, at, payloads, by) if head is not None and fits else []
            if head is None or not added or not _advance(database, head, added[-1][0]):
                head = self._head_for(database, run, token, after)
                added = _linked(head, run, at, payloads, by)
                if added:
                    _advance(database, head, added[-1][0])
            for record, text in added:
                database.execute(INSERT, row_of(record, text))
        if added:
            self._known[run] = head_of(added[-1][0])
        return [record for record, _ in added]

    def forget(self, runs: Sequence[str]) -> None:
        """Know nothing of runs that were removed."""
        for run in runs:
            self._known.pop(run, None)

    def close(self) -> None:
        """Close the file; the last one to close folds the write-ahead log into it."""
        with self._guard:
            if self._open is not None:
                self._open.close()
                self._open = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _head_for(
        self, database: sqlite3.Connection, run: str, token: int, after: int | None
    ) -> Head:
        row = database.execute(
            "SELECT count, hash, token, origin FROM heads WHERE run = ?", (run,)
        ).fetchone()
        if row is None:
            raise KeyError(run)
        if row[3] is not None:
            raise ImportedRun(run, row[3])
        if token < row[2]:
            raise Fenced(f"run {run} was taken over: token {row[2]} has written since {token}")
        if after is not None and after != row[0]:
            raise Overtaken(f"run {run} has {row[0]} events, the writer knows {after}")
        return Head(row[0], row[1])

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write, all or nothing.

        A commit that failed may have happened: the connection is dropped, so that whoever goes on
        reads what the file really holds. Only a full disk and a busy file are sure to keep nothing.
        """
        with self._guard:
            database = self._database()
            try:
                database.execute("BEGIN IMMEDIATE")
                try:
                    yield database
                    database.execute("COMMIT")
                except BaseException:
                    if database.in_transaction:
                        database.execute("ROLLBACK")
                    raise
            except (sqlite3.Error, UnicodeDecodeError) as problem:
                error = translate(problem, self.directory)
                if getattr(problem, "sqlite_errorcode", 0) not in _NOTHING_KEPT:
                    self.close()
                raise error from problem

    def query(self, statement: str, *values: object) -> list[Any]:
        """Return the rows of a statement that reads. Raises StoreError."""
        with self._guard:
            try:
                return self._rows(statement, values)
            except (sqlite3.Error, UnicodeDecodeError) as problem:
                self.close()
                raise translate(problem, self.directory) from problem

    def _rows(self, statement: str, values: Sequence[object]) -> list[Any]:
        database = self._database()
        try:
            return database.execute(statement, values).fetchall()
        except sqlite3.OperationalError as problem:
            if not is_undecodable(problem):
                raise
        # Damage to one run: what is no text is shown so, and its chain does not hold. Others go on.
        database.text_factory = text_of
        return database.execute(statement, values).fetchall()

    def _database(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = open_database(self.directory, write=self._write)
        return self._open

    def _record(self, row: Sequence[Any]) -> Record:
        try:
            data, end = _DECODER.raw_decode(row[4])
            if end != len(row[4]) or not isinstance(data, dict):
                raise ValueError("not one object")  # noqa: TRY301 - told like the others
        except (ValueError, TypeError, RecursionError):
            # Its hash does not fit, so that it is found like any other edit, and can be printed.
            data = {NOT_JSON: str(row[4])}
            return Record(row[0], row[1], row[2], row[3], data, *row[5:])
        return as_kept(Record(row[0], row[1], row[2], row[3], data, *row[5:]), row[4])

    def _damaged(self, what: str) -> StoreCorrupt:
        return StoreCorrupt(
            f"The journal in {self.directory} is damaged: {what}.",
            "Put the file back from a backup.",
        )


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
"""One for all rows: making one takes longer than reading a row with it."""


def _linked(
    head: Head, run: str, at: str, payloads: Sequence[Payload], by: tuple[str, str, int]
) -> list[tuple[Record, str]]:
    """Return payloads as the records that follow `head`, each with its data as JSON."""
    operator, host, token = by
    added: list[tuple[Record, str]] = []
    for payload in payloads:
        made = link(head, run, at, payload, operator=operator, host=host, token=token)
        added.append(made)
        head = head_of(made[0])
    return added


def _advance(database: sqlite3.Connection, head: Head, last: Record) -> bool:
    """Move the head from where the writer takes it to be; False when it is not there."""
    done = database.execute(
        "UPDATE heads SET count = ?, hash = ?, token = ? "
        "WHERE run = ? AND count = ? AND hash = ? AND token <= ?",
        (last.seq, last.hash, last.token, last.run, head.count, head.hash, last.token),
    )
    return done.rowcount == 1


def keep_sources(database: sqlite3.Connection, run: str, sources: Mapping[str, bytes]) -> None:
    """Keep the definition's files of a run; equal ones are kept once."""
    for name, content in sources.items():
        digest = hashlib.sha256(content).hexdigest()
        database.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (digest, content))
        database.execute("INSERT OR IGNORE INTO sources VALUES (?, ?, ?)", (run, name, digest))


def row_of(record: Record, text: str) -> tuple[object, ...]:
    """Return a record as its row; `text` is its data as JSON."""
    return (
        record.seq,
        record.run,
        record.at,
        record.kind,
        text,
        record.operator,
        record.host,
        record.token,
        record.prev,
        record.hash,
    )
