"""The inbox in the journal's SQLite file."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping

from state.codec import canonical
from state.errors import ImportedRun
from state.json_value import Json
from state.messages import DAMAGED, KINDS, Message
from state.stores.sqlite import SqliteJournal


class SqliteInbox:
    """An `Inbox` that shares the journal's connection."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal

    def send(
        self, run: str, kind: str, data: Mapping[str, Json], *, sender: str, host: str
    ) -> Message:
        """Put a message in; it is on disk when this returns. KeyError for an unknown run."""
        message = Message(
            secrets.token_hex(8), run, kind, dict(data), sender, host, self._journal.clock()
        )
        with self._journal.transaction() as database:
            found = database.execute("SELECT origin FROM heads WHERE run = ?", (run,)).fetchone()
            if found is None:
                raise KeyError(run)
            if found[0] is not None:
                raise ImportedRun(run, found[0])
            database.execute(
                "INSERT INTO inbox (id, run, kind, data, sender, host, at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (message.id, run, kind, canonical(dict(data)), sender, host, message.at),
            )
        return message

    def pending(self, run: str) -> list[Message]:
        """Return the messages that are not done, in the order in which they came."""
        rows = self._journal.query(
            "SELECT id, run, kind, data, sender, host, at FROM inbox "
            "WHERE run = ? AND NOT done ORDER BY number",
            run,
        )
        return [_message(*row) for row in rows]

    def done(self, run: str, ids: Iterable[str]) -> None:
        """Take messages out. Ids that are out already, or unknown, do no harm."""
        found = [(run, id_) for id_ in ids]
        if not found:
            return
        with self._journal.transaction() as database:
            database.executemany("UPDATE inbox SET done = 1 WHERE run = ? AND id = ?", found)


def _message(id_: str, run: str, kind: str, data: str, sender: str, host: str, at: str) -> Message:
    """Return a row as its message; one that was damaged is of no kind, and says nothing."""
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict) or kind not in KINDS:
        return Message(id_, run, DAMAGED, {}, sender, host, at)
    return Message(id_, run, kind, found, sender, host, at)
