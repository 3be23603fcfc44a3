"""Leases in the shared database, kept alive by heartbeats in the database's time.

A lease is free when it was let go, when its holder has been silent for `EXPIRY`, or when its
holder's connection has ended and it has been silent for `GONE`: a killed program is replaced
within two heartbeats, one whose network flickers keeps its lease. Where the holder was a process of
this very machine that is gone, that is certain, and nothing is waited for. What keeps a replaced
holder from writing is the token, which every append looks at (see `postgres`); the clock decides
only who may come next.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Sequence
from typing import Any, Final

from state.errors import StoreError
from state.holders import Held, Holder, Kind
from state.stores import here
from state.stores.machine import machine_id
from state.stores.postgres import Fence
from state.stores.postgres_link import Link, Pair

BEAT: Final = 2.0
"""Seconds between two heartbeats."""

GONE: Final = 3.0
"""After how many seconds of silence a holder whose connection has ended may be replaced."""

EXPIRY: Final = 6.0
"""After how many seconds of silence any holder may be replaced."""

LATE: Final = 3.0
"""After how many seconds of silence a connected holder is not taken to live any more."""

_NO_LONGER: Final = 0.5
"""Seconds that the end of a program waits for a heartbeat where nobody answers."""

_LOCK: Final = 0x52424B32
"""The advisory lock under which leases change hands, one at a time."""

_HOLDER: Final = "run, operator, host, pid, since, token, machine, role"
_LOOK: Final = f"""
SELECT held, extract(epoch FROM clock_timestamp() - beat)::float8,
       EXISTS (SELECT FROM pg_stat_activity WHERE pid = backend), process, {_HOLDER}
FROM runbook.leases WHERE kind = %(kind)s AND name = %(name)s
"""  # noqa: S608 - constants of ours
_LOOKED: Final = 4
"""How many columns come before the holder's."""
_NEXT: Final = """
SELECT CASE WHEN t.next > %(above)s THEN t.next
            ELSE setval('runbook.tokens', %(above)s + 1) END
FROM (SELECT nextval('runbook.tokens') AS next) AS t
"""
_TAKE: Final = f"""
INSERT INTO runbook.leases (kind, name, held, {_HOLDER}, beat, backend, process)
VALUES (%(kind)s, %(name)s, true, %(run)s, %(operator)s, %(host)s, %(pid)s, %(since)s, %(token)s,
        %(machine)s, session_user, clock_timestamp(), pg_backend_pid(), %(process)s)
ON CONFLICT (kind, name) DO UPDATE SET
    held = true, run = excluded.run, operator = excluded.operator, host = excluded.host,
    pid = excluded.pid, since = excluded.since, token = excluded.token,
    machine = excluded.machine, role = excluded.role, beat = excluded.beat,
    backend = excluded.backend, process = excluded.process
RETURNING role
"""  # noqa: S608
_MINE: Final = """
WITH mine AS MATERIALIZED (
    SELECT l.kind, l.name FROM runbook.leases AS l
    JOIN unnest(%(kinds)s::text[], %(names)s::text[], %(tokens)s::bigint[]) AS h (kind, name, token)
      ON l.kind = h.kind AND l.name = h.name AND l.token = h.token
    ORDER BY l.kind, l.name FOR UPDATE OF l
)"""
_BEAT: Final = f"""{_MINE}
UPDATE runbook.leases AS l SET beat = clock_timestamp(), backend = pg_backend_pid()
FROM mine WHERE l.kind = mine.kind AND l.name = mine.name RETURNING l.kind, l.name, l.token
"""  # noqa: S608
_RELEASE: Final = f"""{_MINE}
UPDATE runbook.leases AS l SET held = false
FROM mine WHERE l.kind = mine.kind AND l.name = mine.name
"""  # noqa: S608


class PostgresLease:
    """A `Lease`, kept alive by the leases that it is one of."""

    def __init__(
        self, leases: PostgresLeases, fence: Fence, holder: Holder, previous: Holder | None
    ) -> None:
        self._leases = leases
        self.fence = fence
        self.holder = holder
        self.previous = previous

    @property
    def name(self) -> str:
        """The environment's lock name, or the run's id."""
        return self.fence[1]

    @property
    def token(self) -> int:
        """The number of this acquisition; a later holder's is higher."""
        return self.holder.token

    def lost(self) -> bool:
        """Whether the last heartbeat found that somebody else has taken it."""
        return self._leases.is_lost(self.fence)

    def release(self) -> None:
        """Let it go; where the database does not answer, silence lets it go."""
        self._leases.let_go(self.fence)


class PostgresLeases:
    """The `Leases` of one store. A thread keeps alive what it holds."""

    def __init__(self, pair: Pair) -> None:
        self._main: Link = pair.main
        self._side: Link = pair.side
        self._guard = threading.Lock()
        self._held: set[Fence] = set()
        self._lost: set[Fence] = set()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(
        self, kind: Kind, name: str, *, run: str, operator: str, since: str, above: int = 0
    ) -> PostgresLease | Held:
        """Take a lease without waiting, or say who holds it."""
        return self._take(_wanted(kind, name, run, operator, since), above, by_force=False)

    def take_over(
        self, kind: Kind, name: str, *, run: str, operator: str, since: str, above: int = 0
    ) -> PostgresLease | Held:
        """Take a lease from whoever holds it: that holder cannot write any more."""
        return self._take(_wanted(kind, name, run, operator, since), above, by_force=True)

    def held_by(self, kind: Kind, name: str) -> Held | None:
        """Look, without taking it, whether somebody holds a lease and is heard of."""
        found = self._main.read(_LOOK, {"kind": kind, "name": name})
        return _held(name, found[0]) if found else None

    def last_holder(self, kind: Kind, name: str) -> Holder | None:
        """Return who holds, or last held, a lease."""
        found = self._main.read(_LOOK, {"kind": kind, "name": name})
        return Holder(*found[0][_LOOKED:]) if found else None

    def fences(self) -> list[Fence]:
        """Return the leases that were taken and not let go, lost ones among them."""
        with self._guard:
            return sorted(self._held)

    def is_lost(self, fence: Fence) -> bool:
        """Whether a lease is known to be somebody else's."""
        with self._guard:
            return fence in self._lost

    def let_go(self, fence: Fence) -> None:
        """Let a lease go."""
        with self._guard:
            mine = fence in self._held
            self._held.discard(fence)
        if not mine or self._main.away:
            return  # where nobody answers it expires: its holder is silent from now on
        try:
            self._main.rows(_RELEASE, _values([fence]))
        except StoreError:
            return

    def close(self) -> None:
        """End the heartbeats; what is still held expires."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(_NO_LONGER if self._side.away else None)

    def _take(self, wanted: dict[str, Any], above: int, *, by_force: bool) -> PostgresLease | Held:
        with self._main.transaction() as database:
            database.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            found = database.execute(_LOOK.encode(), wanted).fetchone()
            held = _held(wanted["name"], found) if found else None
            if held is not None and not by_force:
                return held
            row = database.execute(_NEXT.encode(), {"above": above}).fetchone()
            assert row is not None  # noqa: S101 - it selects one row
            wanted["token"] = row[0]
            taken = database.execute(_TAKE.encode(), wanted).fetchone()
            assert taken is not None  # noqa: S101
        role = taken[0]
        fence: Fence = (wanted["kind"], wanted["name"], wanted["token"])
        with self._guard:
            self._held.add(fence)
        self._keep_alive()
        others = ("kind", "name", "process")
        words = {key: value for key, value in wanted.items() if key not in others}
        previous = Holder(*found[_LOOKED:]) if found else None
        return PostgresLease(self, fence, Holder(**words, role=role), previous)

    def _keep_alive(self) -> None:
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
                self._thread.start()

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            held = [fence for fence in self.fences() if not self.is_lost(fence)]
            if not held:
                continue
            try:
                kept = self._side.rows(_BEAT, _values(held))
            except StoreError:
                continue  # whoever writes is told; when the database is back, so is the heartbeat
            with self._guard:
                self._lost |= set(held) - {(kind, name, token) for kind, name, token in kept}


def _wanted(kind: Kind, name: str, run: str, operator: str, since: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "run": run,
        "operator": operator,
        "host": socket.gethostname().partition(".")[0],
        "pid": os.getpid(),
        "since": since,
        "machine": machine_id(),
        "process": here.own(),
    }


def _held(name: str, found: Sequence[Any]) -> Held | None:
    """Return who holds a lease by what was found; None when it may be taken."""
    held, silent, connected, process = found[:_LOOKED]
    holder, limit = Holder(*found[_LOOKED:]), EXPIRY if connected else GONE
    if not held or silent > limit or here.gone(process, holder.pid):
        return None
    lives = connected and silent <= LATE
    return Held(name, holder, max(0.0, silent), None if lives else limit - silent)


def _values(fences: Sequence[Fence]) -> dict[str, object]:
    return {
        "kinds": [kind for kind, _, _ in fences],
        "names": [name for _, name, _ in fences],
        "tokens": [token for _, _, token in fences],
    }
