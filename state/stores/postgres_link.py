"""Connections to the shared journal: made when needed, made anew when lost, two a process.

The first carries what the program does, the second what goes on beside it: heartbeats, output that
is shared, news. All stores that a process opens on one database use the same two.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from state.errors import StoreAway
from state.stores import postgres_errors as errors
from state.stores import postgres_schema as schema
from state.stores.postgres_silence import Impatient

CONNECT_SECONDS: Final = 5
"""How long a connection may take to come about."""

DEAD_MS: Final = 5000
"""After how many milliseconds without an answer of its kernel the other side is given up."""

IDLE_MS: Final = 4000
"""How long a program that was stopped may keep others waiting in the middle of a transaction."""

LOCK_MS: Final = 6000
"""How long one program waits for another's transaction: less than for a server that is silent."""

_LONG: Final = 1.0
"""Seconds after which a failure counts for those as well who waited for their turn meanwhile."""

CHANNEL: Final = "runbook"
"""Where news of runs are heard; a notification is a run's id."""

_SETTINGS: Final = (
    f"SET idle_in_transaction_session_timeout = {IDLE_MS}",
    f"SET lock_timeout = {LOCK_MS}",
    "SET synchronous_commit = on",
    "SET client_encoding = 'UTF8'",
    "SET search_path = pg_catalog",
)
_KEPT_ALIVE: Final[Mapping[str, int]] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": DEAD_MS,
}


class _FailedMeanwhile(StoreAway):
    """Another thread has found that nobody answers while this one waited for its turn: it would
    only wait as long once more.
    """


class Link:
    """One connection, for one thread at a time. All methods raise StoreError."""

    def __init__(self, url: str, *, write: bool) -> None:
        self.url = url
        self._write = write
        self._guard = threading.RLock()
        self._open: Impatient | None = None
        self._listens = False
        self._ended = False
        self.away = False
        """Whether nobody answered when the connection was used last."""
        self._failed: tuple[float, StoreAway] | None = None
        """When it was found last that nobody answers, after a long wait, and why."""

    def rows(self, statement: str, values: Mapping[str, object] | None = None) -> list[Any]:
        """Carry a statement out, by itself, and return its rows."""
        with self.connection() as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description is not None else []

    def read(self, statement: str, values: Mapping[str, object] | None = None) -> list[Any]:
        """Carry a statement out that changes nothing: once more when the connection was lost."""
        connected = self._open is not None
        try:
            return self.rows(statement, values)
        except _FailedMeanwhile:
            raise
        except StoreAway as problem:
            if not connected:
                raise  # nobody was there a moment ago
            try:
                return self.rows(statement, values)
            except StoreAway:
                raise problem from None  # how it went says more than that it is gone

    @contextmanager
    def connection(self) -> Iterator[Impatient]:
        """The connection, in autocommit mode; one that is lost meanwhile is made anew next time."""
        asked = time.monotonic()
        with self._guard:
            if self._failed is not None and self._failed[0] > asked:
                why = self._failed[1]
                raise _FailedMeanwhile(why.sentence, why.advice)
            began = time.monotonic()
            try:
                yield self._connected()
                self.away = False
            except psycopg.Error as problem:
                lost = self._open is None or self._open.closed or self._open.broken
                self.away = lost
                if lost:
                    self.close()
                error = errors.translate(problem, self.url, lost=lost)
                now = time.monotonic()
                if lost and isinstance(error, StoreAway) and now - began > _LONG:
                    self._failed = (now, error)
                raise error from None
            finally:
                if self._ended:
                    self.close()

    @contextmanager
    def transaction(self, *, long: bool = False) -> Iterator[Impatient]:
        """Several statements, all or none; `long`: the server may take minutes for one."""
        with (
            self.connection() as connection,
            connection.patient() if long else nullcontext(),
            connection.transaction(),
        ):
            yield connection

    def listen(self) -> None:
        """Hear news from now on, also after the connection was made anew."""
        with self._guard:
            if not self._listens:
                self._listens = True
                self.close()

    def heard(self, timeout: float) -> set[str]:
        """Wait up to `timeout` seconds for news, and return of which runs; others may go on."""
        with self.connection() as connection:
            poll = select.poll()
            poll.register(connection.fileno(), select.POLLIN)
        poll.poll(timeout * 1000)
        with self.connection() as again:
            return {note.payload for note in again.notifies(timeout=0)}

    def close(self) -> None:
        """Let the connection go."""
        with self._guard:
            if self._open is not None:
                self._open.close()
                self._open = None

    def end(self) -> None:
        """Let the connection go for good. Whoever still waits for an answer lets it go by himself:
        where nobody answers that is not waited for.
        """
        self._ended = True
        if self._guard.acquire(timeout=_LONG if self.away else -1):
            try:
                self.close()
            finally:
                self._guard.release()

    def _connected(self) -> Impatient:
        if self._open is None:
            self._open = self._connect()
        return self._open

    def _connect(self) -> Impatient:
        given = _read(self.url)
        settings = {**_KEPT_ALIVE, "application_name": "runbook", **given}
        connection = Impatient.connect(**settings, autocommit=True)
        connection.limit = _limit(given)
        try:
            for statement in _SETTINGS:
                connection.execute(statement.encode())
            schema.bring_up_to_date(connection, errors.place(self.url))
            if not self._write:
                connection.execute("SET default_transaction_read_only = on")
            if self._listens:
                connection.execute(f"LISTEN {CHANNEL}".encode())
        except BaseException:
            connection.close()
            raise
        return connection


def _read(url: str) -> dict[str, Any]:
    if errors.ambiguous(url):
        raise errors.unreadable()
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError:
        raise errors.unreadable() from None


def _limit(given: Mapping[str, Any]) -> float | None:
    """Return the seconds of silence that the URL allows; None when it says nothing of it."""
    try:
        milliseconds = int(given.get("tcp_user_timeout", 0))
    except ValueError:
        return None
    return milliseconds / 1000 if milliseconds > 0 else None


@dataclass(slots=True)
class Pair:
    """The two connections of a process to one database. `users` are the stores that share them."""

    main: Link
    side: Link
    users: int = 0


_PAIRS: dict[tuple[str, bool], Pair] = {}
_GUARD = threading.Lock()


def join(url: str, *, write: bool) -> Pair:
    """Return the connections to a database; `leave` them when done."""
    with _GUARD:
        pair = _PAIRS.setdefault((url, write), Pair(Link(url, write=write), Link(url, write=write)))
        pair.users += 1
        return pair


def leave(pair: Pair, *, write: bool) -> None:
    """Close the connections when nobody else uses them."""
    with _GUARD:
        pair.users -= 1
        if pair.users == 0:
            del _PAIRS[pair.main.url, write]
            pair.main.end()
            pair.side.end()
