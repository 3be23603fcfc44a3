"""Who watches, in the shared database: a row for each watcher, in the database's time.

A row counts while its watcher says so again and again, on a connection that lives. Rows that do not
count any more are removed by those who write theirs, so that there are never many more rows than
watchers. The table is not logged: nothing in it is worth a write to the disk, nor anything after a
crash of the database.
"""

from __future__ import annotations

import secrets
from typing import Final

from state.stores.postgres_link import Link, Pair
from state.watcher import Watcher

STALE: Final = 10.0
"""Seconds of silence after which a watcher is taken to be gone."""

_KEPT: Final = 60
"""Seconds after which the row of a silent watcher is removed."""

_BEAT: Final = f"""
WITH gone AS (
    DELETE FROM runbook.presence WHERE id IN (
        SELECT id FROM runbook.presence
        WHERE beat < clock_timestamp() - interval '{_KEPT} s' AND id <> %(id)s
        LIMIT 100 FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO runbook.presence (id, run, operator, host, beat, backend)
VALUES (%(id)s, %(run)s, %(operator)s, %(host)s, clock_timestamp(), pg_backend_pid())
ON CONFLICT (id) DO UPDATE SET
    run = excluded.run, beat = excluded.beat, backend = excluded.backend
"""  # noqa: S608 - a constant of ours
_WATCHING: Final = f"""
SELECT operator, host, identity FROM runbook.presence
WHERE run = %(run)s AND beat >= clock_timestamp() - interval '{STALE} s'
  AND EXISTS (SELECT FROM pg_stat_activity WHERE pid = backend)
ORDER BY operator, host, id
"""  # noqa: S608


class PostgresPresence:
    """The `Presence` of one store: one watcher."""

    def __init__(self, pair: Pair) -> None:
        self._main: Link = pair.main
        self._side: Link = pair.side
        self._id = secrets.token_hex(8)
        self._said = False

    def beat(self, run: str, *, operator: str, host: str) -> None:
        """Say that somebody watches a run by way of this store, and no other run any more."""
        self._said = True
        values = {"id": self._id, "run": run, "operator": operator, "host": host}
        self._side.rows(_BEAT, values)

    def leave(self) -> None:
        """Say that nobody watches by way of this store any more."""
        if self._said:
            self._said = False
            self._side.rows("DELETE FROM runbook.presence WHERE id = %(id)s", {"id": self._id})

    def watching(self, run: str) -> list[Watcher]:
        """Return who watches a run now, by name."""
        return [Watcher(*row) for row in self._main.read(_WATCHING, {"run": run})]
