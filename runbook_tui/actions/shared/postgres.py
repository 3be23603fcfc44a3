"""Connections to PostgreSQL that notice a dead peer, can be stopped, and never hang unseen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Final, TypeVar

import psycopg
from psycopg import Connection, errors
from psycopg.rows import TupleRow

from runbook_tui.actions.api import ActionFailed, Context, Effect, Job, Stopped
from runbook_tui.actions.shared import durations

T = TypeVar("T")

_LONGEST: Final = 63
"""Bytes that the server keeps of a name."""

POLL: Final = 0.2
"""Seconds between looks at whether the attempt is to stop."""

CAUSES: Final[Mapping[type[psycopg.Error], str]] = {
    errors.LockNotAvailable: "lock_timeout",
    errors.QueryCanceled: "statement_timeout",
}


def application(job: Job) -> str:
    """Return the name by which our backends are known to the server: at most 63 bytes, no two
    steps alike.
    """
    name = f"runbook {job.run} {job.step}"
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 9]} {hashlib.sha256(name.encode()).hexdigest()[:8]}"


def connect(job: Job, *, role: str = "") -> Connection[TupleRow]:
    """Connect in autocommit mode, with the step's time-outs; ActionFailed when it cannot be.

    A peer that is gone is noticed within 10 s; the server ends what it does for us 0.5 s after we
    are gone. `role` tells our helper connections from the one that acts.
    """
    options = job.options
    name = f"runbook {role} {job.run} {job.step}"[:63] if role else application(job)
    try:
        connection = psycopg.connect(
            options["database"],
            autocommit=True,
            application_name=name,
            connect_timeout=max(2, round(_seconds(job, "connect_timeout", 10))),
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=2,
            tcp_user_timeout=10_000,
        )
    except psycopg.Error as fault:
        raise ActionFailed(
            f"The database cannot be reached: {line(fault)}.", effect="none", cause="connection"
        ) from fault
    if connection.info.server_version >= 140_000:
        connection.execute("set client_connection_check_interval = '500ms'")
    set_timeouts(
        connection, _seconds(job, "lock_timeout", 30), _seconds(job, "statement_timeout", 0)
    )
    return connection


def _seconds(job: Job, name: str, default: float) -> float:
    given = job.options.get(name)
    return durations.seconds(given) if given else default


def set_timeouts(connection: Connection[TupleRow], lock: float, statement: float) -> None:
    """Set the session's limits, in seconds; 0 is none."""
    for name, value in (("lock_timeout", lock), ("statement_timeout", statement)):
        connection.execute("select set_config(%s, %s, false)", (name, f"{round(value * 1000)}ms"))


def where(connection: Connection[TupleRow]) -> str:
    """Return in words where a connection goes."""
    info = connection.info
    host = "the local socket" if info.host.startswith("/") else f"{info.host}:{info.port}"
    return f"{info.dbname} at {host} as {info.user}"


def line(fault: BaseException) -> str:
    """Return what the server or the client library said, in one line without a full stop."""
    diagnosis = getattr(fault, "diag", None)
    text = (diagnosis.message_primary if diagnosis else None) or str(fault) or type(fault).__name__
    return " ".join(text.split()).rstrip(".")


def failed(what: str, fault: psycopg.Error, effect: Effect) -> ActionFailed:
    """Return the failure that an error of the server or the connection means."""
    cause = next((word for kind, word in CAUSES.items() if isinstance(fault, kind)), None)
    if cause is None and (fault.sqlstate is None or fault.sqlstate.startswith(("08", "57P"))):
        cause = "connection"
    detail = {
        name: value
        for name in ("message_detail", "message_hint", "context", "sqlstate")
        if (value := getattr(fault.diag, name, None))
    }
    return ActionFailed(f"{what}: {line(fault)}.", effect=effect, cause=cause, detail=detail)


def attended(
    connection: Connection[Any],
    context: Context,
    work: Callable[[], T],
    meanwhile: Callable[[], None] = lambda: None,
) -> T:
    """Do `work` in a thread; look out for a stop and call `meanwhile` while it takes its time.

    A stop cancels the query at the server before Stopped goes on.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(work)
        while True:
            if wait([future], timeout=POLL).done:
                return future.result()
            try:
                context.check_stop()
                meanwhile()
            except Stopped:
                _cancel(connection)
                raise


def _cancel(connection: Connection[Any]) -> None:
    try:
        connection.cancel_safe(timeout=5)
    except psycopg.Error:
        # The server cannot be told; cutting the connection ends the query within its interval.
        connection.close()
