"""The table of applied migrations: the truth about which files are in the database.

A file's row is committed in the same transaction as the file. A file that runs without a
transaction gets its row before, without `applied_at`, and the time afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from psycopg import Connection, Cursor, sql
from psycopg.rows import TupleRow

from runbook_tui.actions.api import Job
from runbook_tui.actions.migrate.files import Migration

_SELECT: Final = (
    "select version, name, checksum, run, step, xid, applied_at from {table} order by version"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row: `xid` is the transaction that wrote it, `applied_at` None while a file runs bare."""

    version: int
    name: str
    checksum: str
    run: str
    step: str
    xid: str
    applied_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger in one database. All methods use the connection as it stands."""

    connection: Connection[TupleRow]
    table: str

    def create(self) -> None:
        """Make the table when it is missing."""
        self._execute(
            """create table if not exists {table} (
                version bigint primary key, name text not null, checksum text not null,
                run text not null, step text not null, xid text not null, applied_at timestamptz
            )"""
        )

    def rows(self) -> Mapping[int, Row]:
        """Return the rows by version, in order; empty when there is no table."""
        found = self.connection.execute("select to_regclass(%s)", (self.table,)).fetchone()
        if found is None or found[0] is None:
            return {}
        return {row[0]: Row(*row) for row in self._execute(_SELECT).fetchall()}

    def add(self, migration: Migration, job: Job, *, applied: bool) -> None:
        """Write a file's row, in the open transaction if there is one."""
        self._execute(
            "insert into {table} values (%s, %s, %s, %s, %s, pg_current_xact_id()::text, "
            "case when %s then now() end)",
            (migration.version, migration.name, migration.checksum, job.run, job.step, applied),
        )

    def claim(self, migration: Migration, job: Job) -> None:
        """Say that this run is at a file that runs bare, taking an unfinished row over."""
        self._execute(
            "delete from {table} where version = %s and applied_at is null", (migration.version,)
        )
        self.add(migration, job, applied=False)

    def finish(self, migration: Migration) -> None:
        """Say that a file that ran bare is in the database."""
        self._execute(
            "update {table} set applied_at = now() where version = %s", (migration.version,)
        )

    def _execute(self, text: LiteralString, values: tuple[object, ...] = ()) -> Cursor[TupleRow]:
        query = sql.SQL(text).format(table=sql.Identifier(*self.table.split(".")))
        return self.connection.execute(query, values or None)
