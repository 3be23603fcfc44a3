"""Whole runs in and out of the journal's SQLite file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from state.codec import canonical
from state.errors import RunExists
from state.kept import Kept
from state.stores import sqlite_checks as checks
from state.stores.sqlite import INSERT, SqliteJournal, keep_sources, row_of

_WORTH_SHARE: Final = 0.2
_WORTH_BYTES: Final = 1 << 20
"""The file is written anew when this share of it, and this many bytes, hold nothing any more."""


class SqliteKeeper:
    """A `Keeper` that shares the journal's connection."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal

    def adopt(self, runs: Sequence[Kept]) -> None:
        """Keep imported runs exactly as they are, all or none. Raises RunExists."""
        with self._journal.transaction() as database:
            for kept in runs:
                if database.execute("SELECT 1 FROM heads WHERE run = ?", (kept.run,)).fetchone():
                    raise RunExists(kept.run)
                last = kept.records[-1]
                database.execute(
                    "INSERT INTO heads (run, count, hash, token, origin) VALUES (?, ?, ?, ?, ?)",
                    (kept.run, last.seq, last.hash, last.token, kept.origin),
                )
                database.executemany(
                    INSERT, (row_of(record, canonical(record.data)) for record in kept.records)
                )
                keep_sources(database, kept.run, kept.sources)

    def origin(self, run: str) -> str | None:
        """Return where an imported run comes from, in words; None for one of this journal's own."""
        rows = self._journal.query("SELECT origin FROM heads WHERE run = ?", run)
        return rows[0][0] if rows else None

    def size(self, run: str) -> int:
        """Return how many bytes the events of a run take, and the files that only it began with."""
        [(events,)] = self._journal.query(
            "SELECT coalesce(sum(length(data) + 260), 0) FROM events WHERE run = ?", run
        )
        [(files,)] = self._journal.query(
            "SELECT coalesce(sum(length(content)), 0) FROM blobs WHERE hash IN "
            "(SELECT hash FROM sources GROUP BY hash HAVING count(*) = 1 AND min(run) = ?)",
            run,
        )
        return int(events) + int(files)

    def remove(self, runs: Sequence[str]) -> None:
        """Remove runs with their messages, and files that no run began with any more."""
        with self._journal.transaction() as database:
            for run in runs:
                for table in ("events", "sources", "inbox", "heads"):
                    database.execute(f"DELETE FROM {table} WHERE run = ?", (run,))  # noqa: S608
            database.execute("DELETE FROM blobs WHERE hash NOT IN (SELECT hash FROM sources)")
        self._journal.forget(runs)

    def compact(self) -> int:
        """Write the file anew without its holes, when they are worth it; return bytes given back.

        It keeps writers waiting meanwhile, and needs room for a second file: call it when nobody
        drives. Without the room nothing is done.
        """
        file = self._journal.directory / checks.JOURNAL
        [(pages,)] = self._journal.query("PRAGMA page_count")
        [(holes,)] = self._journal.query("PRAGMA freelist_count")
        [(page,)] = self._journal.query("PRAGMA page_size")
        before = file.stat().st_size
        if holes * page < _WORTH_BYTES or holes < pages * _WORTH_SHARE:
            return 0
        if checks.free_bytes(self._journal.directory) < 2 * pages * page + checks.WRITE_BYTES:
            return 0
        self._journal.query("VACUUM")
        self._journal.query("PRAGMA wal_checkpoint(TRUNCATE)")
        return max(0, before - file.stat().st_size)
