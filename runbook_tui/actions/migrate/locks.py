"""Waiting for locks: the one that keeps migrations apart, and those that statements wait for."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from runbook_tui.actions.api import ActionFailed, Context
from runbook_tui.actions.shared import durations
from runbook_tui.actions.shared.postgres import POLL

_HOLDERS: Final = """
    select pid, usename, application_name, state, query from pg_stat_activity
    where pid = any(pg_blocking_pids(%s)) order by pid
"""
_ADVISORY: Final = """
    select pid, usename, application_name, state, query from pg_stat_activity
    where pid in (
        select pid from pg_locks where locktype = 'advisory' and granted
        and ((classid::bigint << 32) | objid::bigint) = %s
        and database = (select oid from pg_database where datname = current_database())
    ) order by pid
"""


def key(table: str) -> int:
    """Return the number of the advisory lock of a ledger: positive, of 62 bits."""
    digest = hashlib.sha256(f"runbook migrate {table}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 2


def take(connection: Connection[TupleRow], table: str, context: Context, patience: float) -> None:
    """Take the lock that keeps migrations apart, for the session; waits up to `patience` seconds.

    Raises ActionFailed with cause lock_timeout when another one still holds it then.
    """
    number = key(table)
    deadline = time.monotonic() + patience
    told = ""
    while not _value(connection, "select pg_try_advisory_lock(%s)", number):
        holders = holder_lines(connection.execute(_ADVISORY, (number,)).fetchall())
        if holders and holders != told:
            told = holders
            context.log(f"another migration holds the lock of {table}\n{holders}")
        context.progress(f"Waits for another migration{_first_pid(holders)}.")
        if time.monotonic() >= deadline:
            raise ActionFailed(
                f"Another migration still holds the lock of {table} after "
                f"{durations.shown(patience)}{_first_pid(holders)}.",
                effect="none",
                cause="lock_timeout",
            )
        context.wait(POLL)
    context.log(f"advisory lock {number} of {table} taken")


@dataclass(slots=True)
class LockWatch:
    """Says who holds the lock that a backend waits for. Called while the backend works."""

    open: Callable[[], Connection[TupleRow]]
    context: Context
    pid: int
    name: str
    told: str = ""
    _side: Connection[TupleRow] | None = None
    _next: float = 0.0

    def __call__(self) -> None:
        """Look at most once a second; a lost side connection ends the looking, not the work."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 1
        try:
            if self._side is None:
                self._side = self.open()
            holders = holder_lines(self._side.execute(_HOLDERS, (self.pid,)).fetchall())
        except (psycopg.Error, ActionFailed) as fault:
            self.context.log(f"cannot look who holds locks: {fault}", "stderr")
            self._next = float("inf")
            return
        self._tell(holders)

    def _tell(self, holders: str) -> None:
        if holders and holders != self.told:
            self.context.log(f"{self.name} waits for a lock\n{holders}")
            self.context.progress(f"{self.name} waits for a lock{_first_pid(holders)}.")
        elif self.told and not holders:
            self.context.progress(f"{self.name} runs.")
        self.told = holders

    def close(self) -> None:
        """Close the side connection."""
        if self._side is not None:
            self._side.close()


def holder_lines(rows: list[TupleRow]) -> str:
    """Return a line for each holder: pid, user, program, what it does."""
    return "\n".join(
        f"  held by pid {pid} ({user or 'system'}, {program or 'no name'}, {state or 'active'}): "
        f"{' '.join((query or '').split())[:200]}"
        for pid, user, program, state, query in rows
    )


def _first_pid(holders: str) -> str:
    return f" that pid {holders.split()[3]} holds" if holders else ""


def _value(connection: Connection[TupleRow], query: str, *values: object) -> object:
    row = connection.execute(query.encode(), values).fetchone()
    return row[0] if row else None
