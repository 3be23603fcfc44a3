"""Whole runs in and out of the shared journal."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from state.codec import canonical
from state.errors import RunExists, StoreUnusable
from state.kept import Kept
from state.stores.postgres_errors import place
from state.stores.postgres_link import Link

_HEAD: Final = """
INSERT INTO runbook.heads (run, count, hash, token, origin) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (run) DO NOTHING RETURNING run
"""
_EVENT: Final = """
INSERT INTO runbook.events (seq, run, at, kind, data, operator, host, token, prev, hash)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_BLOB: Final = """
INSERT INTO runbook.blobs (hash, content) VALUES (%s, %s) ON CONFLICT (hash) DO NOTHING
"""
_SOURCE: Final = "INSERT INTO runbook.sources (run, name, hash) VALUES (%s, %s, %s)"
_SIZE: Final = """
SELECT (SELECT coalesce(sum(octet_length(data) + 260), 0) FROM runbook.events WHERE run = %(run)s)
     + (SELECT coalesce(sum(octet_length(content)), 0) FROM runbook.outputs
        WHERE starts_with(attempt, %(place)s))
     + (SELECT coalesce(sum(octet_length(content)), 0) FROM runbook.blobs WHERE hash IN
        (SELECT hash FROM runbook.sources GROUP BY hash HAVING count(*) = 1 AND min(run) = %(run)s))
"""
_OWNER: Final = "SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'runbook'"


class PostgresKeeper:
    """A `Keeper` that shares the journal's connection. Only the journal's owner may remove."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def adopt(self, runs: Sequence[Kept]) -> None:
        """Keep imported runs exactly as they are, all or none. Raises RunExists."""
        with self._link.transaction(long=True) as connection, connection.cursor() as cursor:
            for kept in runs:
                last = kept.records[-1]
                head = (kept.run, last.seq, last.hash, last.token, kept.origin)
                if cursor.execute(_HEAD, head).fetchone() is None:
                    raise RunExists(kept.run)
                cursor.executemany(
                    _EVENT,
                    [
                        (
                            record.seq,
                            record.run,
                            record.at,
                            record.kind,
                            canonical(record.data),
                            record.operator,
                            record.host,
                            record.token,
                            record.prev,
                            record.hash,
                        )
                        for record in kept.records
                    ],
                )
                for name, content in kept.sources.items():
                    digest = hashlib.sha256(content).hexdigest()
                    cursor.execute(_BLOB, (digest, content))
                    cursor.execute(_SOURCE, (kept.run, name, digest))

    def origin(self, run: str) -> str | None:
        """Return where an imported run comes from, in words; None for one of this journal's own."""
        rows = self._link.read("SELECT origin FROM runbook.heads WHERE run = %(run)s", {"run": run})
        return rows[0][0] if rows else None

    def size(self, run: str) -> int:
        """Return how many bytes events and shared output take, and files that only it has."""
        [(size,)] = self._link.read(_SIZE, {"run": run, "place": f"runs/{run}/"})
        return int(size)

    def remove(self, runs: Sequence[str]) -> None:
        """Remove runs with their output and messages, and files that no run began with any more.

        Raises StoreUnusable for a role that may not: nobody but the owner can remove an event.
        """
        if self._link.read(_OWNER) != [(True,)]:
            raise StoreUnusable(
                f"Only the owner of the journal in {place(self._link.url)} may remove runs.",
                "Have its owner do it.",
            )
        with self._link.transaction(long=True) as connection:
            # Whoever begins a run meanwhile waits: a file that it shares must not go under it.
            connection.execute("LOCK TABLE runbook.blobs IN SHARE ROW EXCLUSIVE MODE")
            for run in runs:
                connection.execute(
                    "DELETE FROM runbook.outputs WHERE starts_with(attempt, %s)", (f"runs/{run}/",)
                )
                for table in ("inbox", "sources", "events", "heads"):
                    statement = f"DELETE FROM runbook.{table} WHERE run = %s"  # noqa: S608
                    connection.execute(statement.encode(), (run,))
            connection.execute(
                "DELETE FROM runbook.blobs WHERE hash NOT IN (SELECT hash FROM runbook.sources)"
            )

    def compact(self) -> int:
        """Return 0: the database uses the room again by itself."""
        return 0
