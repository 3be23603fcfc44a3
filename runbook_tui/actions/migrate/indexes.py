"""Indexes built concurrently: what a broken try left behind is found, and dropped before the next.

A killed `CREATE INDEX CONCURRENTLY` leaves an invalid index, and `IF NOT EXISTS` would then be
content with it (PostgreSQL's documentation of CREATE INDEX, "Building Indexes Concurrently").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from psycopg import Connection, sql
from psycopg.rows import TupleRow

_IDENTIFIER: Final = r'(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)'
_CREATE: Final = re.compile(
    rf"create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?(?!on\s)"
    rf"(?P<index>{_IDENTIFIER})\s+on\s+(?:only\s+)?"
    rf"(?:(?P<schema>{_IDENTIFIER})\s*\.\s*)?(?P<table>{_IDENTIFIER})",
    re.IGNORECASE,
)
_STATE: Final = """
    select n.nspname, c.relname, i.indisvalid,
        exists (select from pg_stat_progress_create_index p where p.index_relid = c.oid)
    from pg_index i
    join pg_class c on c.oid = i.indexrelid
    join pg_namespace n on n.oid = c.relnamespace
    where i.indrelid = to_regclass(%s) and c.relname = %s
"""

State = Literal["missing", "valid", "invalid", "building"]


@dataclass(frozen=True, slots=True)
class Index:
    """An index that a statement builds: its name, and its table as written there."""

    name: str
    table: str


def built_by(statement: str) -> Index | None:
    """Return the named index that a statement builds concurrently, or None."""
    match = _CREATE.match(statement)
    if match is None:
        return None
    schema = f"{match['schema']}." if match["schema"] else ""
    return Index(_plain(match["index"]), f"{schema}{match['table']}")


def state(connection: Connection[TupleRow], index: Index) -> State:
    """Tell how an index stands in the database."""
    row = connection.execute(_STATE, (index.table, index.name)).fetchone()
    if row is None:
        return "missing"
    if row[2]:
        return "valid"
    return "building" if row[3] else "invalid"


def drop(connection: Connection[TupleRow], index: Index) -> None:
    """Drop an index without locking its table."""
    row = connection.execute(_STATE, (index.table, index.name)).fetchone()
    if row is not None:
        name = sql.Identifier(row[0], row[1])
        connection.execute(sql.SQL("drop index concurrently if exists {}").format(name))


def _plain(identifier: str) -> str:
    if identifier.startswith('"'):
        return identifier[1:-1].replace('""', '"')
    return identifier.lower()
