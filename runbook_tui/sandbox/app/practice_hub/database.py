"""PostgreSQL through a small pool: a connection for each request at work, eight at most."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import LifoQueue
from typing import Any, LiteralString

import psycopg

from . import metrics

SIZE = 8


class Database:
    """Runs statements; a connection that broke is replaced by a new one at the next use."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._free: LifoQueue[psycopg.Connection[Any] | None] = LifoQueue()
        for _ in range(SIZE):
            self._free.put(None)

    def rows(
        self, table: str, query: LiteralString, values: Sequence[object] = ()
    ) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own and return its rows."""
        started = time.perf_counter()
        with self._connection() as connection:
            cursor = connection.execute(query, values)
            found = cursor.fetchall() if cursor.description else []
        operation = query.split()[0].lower()
        metrics.query_seconds.observe(time.perf_counter() - started, table, operation)
        return found

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        connection = self._free.get(timeout=10)
        try:
            if connection is None or connection.closed:
                connection = psycopg.connect(self._url, connect_timeout=5, autocommit=True)
            yield connection
        except psycopg.OperationalError:
            if connection is not None:
                connection.close()
            connection = None
            raise
        finally:
            self._free.put(connection)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while not self._free.empty():
            connection = self._free.get()
            if connection is not None:
                connection.close()
