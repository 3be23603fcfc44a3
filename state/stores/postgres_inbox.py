"""The inbox of the shared journal; the database itself signs who sent."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from state.codec import canonical
from state.errors import ImportedRun
from state.json_value import Json
from state.messages import Message
from state.stores.postgres_link import Link
from state.stores.sqlite import utc_now

_SEND: Final = """
WITH sent AS (
    INSERT INTO runbook.inbox (id, run, kind, data, sender, host, at)
    SELECT %(id)s, run, %(kind)s, %(data)s, %(sender)s, %(host)s, %(at)s
    FROM runbook.heads WHERE run = %(run)s AND origin IS NULL
    RETURNING run, identity
)
SELECT identity, pg_notify('runbook', run) FROM sent
"""


class PostgresInbox:
    """An `Inbox` that shares the journal's connection."""

    def __init__(self, link: Link, clock: Callable[[], str] = utc_now) -> None:
        self._link = link
        self._clock = clock

    def send(
        self, run: str, kind: str, data: Mapping[str, Json], *, sender: str, host: str
    ) -> Message:
        """Put a message in; it is on disk when this returns. KeyError for an unknown run."""
        id_, at = secrets.token_hex(8), self._clock()
        values = {
            "id": id_,
            "run": run,
            "kind": kind,
            "data": canonical(dict(data)),
            "sender": sender,
            "host": host,
            "at": at,
        }
        sent = self._link.rows(_SEND, values)
        if not sent:
            self._refuse_imported(run)
            raise KeyError(run)
        return Message(id_, run, kind, dict(data), sender, host, at, sent[0][0])

    def _refuse_imported(self, run: str) -> None:
        rows = self._link.read(
            "SELECT origin FROM runbook.heads WHERE run = %(run)s AND origin IS NOT NULL",
            {"run": run},
        )
        if rows:
            raise ImportedRun(run, rows[0][0])

    def pending(self, run: str) -> list[Message]:
        """Return the messages that are not done, in the order in which they came."""
        rows = self._link.read(
            "SELECT id, run, kind, data, sender, host, at, identity FROM runbook.inbox "
            "WHERE run = %(run)s AND NOT done ORDER BY number",
            {"run": run},
        )
        return [
            Message(id_, of, kind, json.loads(data), sender, host, at, identity)
            for id_, of, kind, data, sender, host, at, identity in rows
        ]

    def done(self, run: str, ids: Iterable[str]) -> None:
        """Take messages out. Ids that are out already, or unknown, do no harm."""
        out = list(ids)
        if out:
            self._link.rows(
                "UPDATE runbook.inbox SET done = true "
                "WHERE run = %(run)s AND id = ANY(%(ids)s::text[])",
                {"run": run, "ids": out},
            )
