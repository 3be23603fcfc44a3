"""What PostgreSQL is still doing for a step whose worker is gone, in a line for each backend."""

from __future__ import annotations

from typing import Final

from psycopg import Connection
from psycopg.rows import TupleRow

_LINE: Final = """
    select format(
        'backend %%s (%%s) since %%s: %%s', pid, state,
        to_char(coalesce(xact_start, backend_start) at time zone 'UTC', 'HH24:MI:SS "UTC"'),
        left(regexp_replace(coalesce(nullif(query, ''), 'nothing yet'), E'\\\\s+', ' ', 'g'), 80)
    )
    from pg_stat_activity where pid <> pg_backend_pid() and
"""


def named(
    connection: Connection[TupleRow], application: str, *, idle: bool = False
) -> tuple[str, ...]:
    """Return a line for each backend in this database that goes by this name.

    `idle`: also those that only stay connected.
    """
    which = "application_name = %s and datname = current_database() and (%s or state <> 'idle')"
    rows = connection.execute(f"{_LINE} {which} order by pid".encode(), (application, idle))
    return tuple(str(row[0]) for row in rows.fetchall())


def of_transaction(connection: Connection[TupleRow], xid: str) -> tuple[str, ...]:
    """Return a line for the backend that has this transaction open (at most one)."""
    which = "backend_xid = %s::xid8::xid"
    rows = connection.execute(f"{_LINE} {which}".encode(), (xid,)).fetchall()
    return tuple(str(row[0]) for row in rows)
