"""A connection that does not wait for ever for a server that says nothing.

The kernel notices a link that is cut, and by keepalives one that swallows everything. It does not
notice a server that is stopped, or a machine that hangs: there each byte is acknowledged, and no
answer comes. So every wait has a limit of our own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.waiting import Ready

Found = TypeVar("Found")

SILENCE: Final = 8.0
"""Seconds without a byte after which a connection is given up: longer than a lock is awaited."""

LONG_WORK: Final = 600.0
"""The same where the server has much to do before it answers: removing runs, a new schema."""


class Impatient(psycopg.Connection[tuple[Any, ...]]):
    """A connection that is closed when nothing comes of the server for too long.

    What was under way then may yet be done, at any later time: whoever tries it again must see to
    it that it counts once.
    """

    limit: float | None = None
    """Seconds; None: `SILENCE`."""
    patient_now = False

    def wait(self, gen: PQGen[Found], *more: Any, **named: Any) -> Found:
        """Wait for the server. Raises OperationalError when it is silent for too long."""
        limit = SILENCE if self.limit is None else self.limit
        if self.patient_now:
            limit = LONG_WORK
        try:
            return super().wait(_while_heard(gen, limit), *more, **named)
        except _Silent as silent:
            # Also in the middle of a transaction: nothing more can be said on this connection.
            self.pgconn.finish()
            since = datetime.fromtimestamp(time.time() - silent.seconds, UTC)
            said = f"it does not answer since {since:%H:%M:%S}Z"
            raise psycopg.OperationalError(said) from None

    @contextmanager
    def patient(self) -> Iterator[None]:
        """Give the server much time for what is done meanwhile."""
        self.patient_now = True
        try:
            yield
        finally:
            self.patient_now = False


class _Silent(Exception):  # noqa: N818 - it reads as what happened
    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def _while_heard(gen: PQGen[Found], limit: float) -> PQGen[Found]:
    """Pass on what is waited for; whoever waits comes back with nothing several times a second."""
    try:
        wanted = next(gen)
        heard = time.monotonic()
        while True:
            ready = yield wanted
            now = time.monotonic()
            # A program that was stopped itself is told what came meanwhile before it is told this.
            if ready != Ready.NONE:
                heard = now
            elif now - heard > limit:
                raise _Silent(now - heard)
            wanted = gen.send(ready)
    except StopIteration as end:
        found: Found = end.value
        return found
