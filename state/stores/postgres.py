"""The journal in PostgreSQL, shared by several operators and machines.

Each append is one statement: it looks at the leases of this store, moves the head and adds the
events, all or none, in one round trip. There is no moment in between at which a stopped program
could keep others waiting. Data is kept as the canonical text that was hashed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from state.codec import EMPTY, Head, as_kept, head_of, link
from state.errors import Fenced, ImportedRun, Overtaken, RunExists, StoreCorrupt
from state.events import Payload, Record, RunStarted
from state.holders import Kind
from state.stores.postgres_errors import place
from state.stores.postgres_link import Link
from state.stores.sqlite import utc_now

Fence = tuple[Kind, str, int]
"""A lease that a writer must still hold: kind, name, token."""


class Fences(Protocol):
    """Knows which leases this store holds."""

    def fences(self) -> Sequence[Fence]:
        """Return the leases that were taken and not let go."""


_COLUMNS: Final = "seq, run, at, kind, data, operator, host, token, prev, hash"

# Rows are locked in order of name, here and by heartbeats: two that lock several never wait for
# each other in a ring.
HELD: Final = """
WITH lease AS MATERIALIZED (
    SELECT 1 FROM runbook.leases AS l
    JOIN unnest(%(kinds)s::text[], %(names)s::text[], %(tokens)s::bigint[]) AS h (kind, name, token)
      ON l.kind = h.kind AND l.name = h.name AND l.token = h.token
    ORDER BY l.kind, l.name FOR SHARE OF l
), kept AS MATERIALIZED (
    SELECT (SELECT count(*) FROM lease) = cardinality(%(names)s::text[])
       AND NOT EXISTS (SELECT FROM runbook.leases
                       WHERE kind = 'run' AND name = %(run)s AND token > %(token)s) AS all
)"""
_ADDED: Final = f"""added AS (
    INSERT INTO runbook.events ({_COLUMNS})
    SELECT e.seq, %(run)s, %(at)s, e.kind, e.data, %(operator)s, %(host)s, %(token)s, e.prev, e.hash
    FROM moved, unnest(%(seqs)s::bigint[], %(event_kinds)s::text[], %(datas)s::text[],
                       %(prevs)s::text[], %(hashes)s::text[]) AS e (seq, kind, data, prev, hash)
)"""  # noqa: S608 - columns of ours
_APPEND: Final = f"""{HELD}, moved AS (
    UPDATE runbook.heads SET count = %(count)s, hash = %(hash)s, token = %(token)s
    WHERE run = %(run)s AND count = %(known)s AND hash = %(prev)s AND token <= %(token)s
      AND origin IS NULL
      AND (SELECT kept.all FROM kept)
    RETURNING run
), {_ADDED}
SELECT pg_notify('runbook', run) FROM moved
"""  # noqa: S608
_KEEP: Final = """
WITH contents AS (
    INSERT INTO runbook.blobs (hash, content)
    SELECT DISTINCT ON (b.hash) b.hash, b.content
    FROM unnest(%(digests)s::text[], %(contents)s::bytea[]) AS b (hash, content)
    ON CONFLICT (hash) DO NOTHING
)
INSERT INTO runbook.sources (run, name, hash)
SELECT %(run)s, s.name, s.hash
FROM unnest(%(files)s::text[], %(digests)s::text[]) AS s (name, hash)
ON CONFLICT DO NOTHING RETURNING name
"""
_CREATE: Final = f"""{HELD}, moved AS (
    INSERT INTO runbook.heads (run, count, hash, token)
    SELECT %(run)s, %(count)s, %(hash)s, %(token)s FROM kept WHERE kept.all
    ON CONFLICT (run) DO NOTHING RETURNING run
), {_ADDED}, contents AS (
    INSERT INTO runbook.blobs (hash, content)
    SELECT DISTINCT ON (b.hash) b.hash, b.content
    FROM moved, unnest(%(digests)s::text[], %(contents)s::bytea[]) AS b (hash, content)
    ON CONFLICT (hash) DO NOTHING
), files AS (
    INSERT INTO runbook.sources (run, name, hash)
    SELECT moved.run, s.name, s.hash
    FROM moved, unnest(%(files)s::text[], %(digests)s::text[]) AS s (name, hash)
)
SELECT pg_notify('runbook', run) FROM moved
"""  # noqa: S608


class PostgresJournal:
    """A `Journal`. What was under way when the connection was lost raises StoreAway: read again."""

    def __init__(self, link: Link, fences: Fences, clock: Callable[[], str] = utc_now) -> None:
        self._link = link
        self._fences = fences
        self._clock = clock
        self._known: dict[str, Head] = {}
        """Heads as this store read or wrote them last; see `append`."""

    def runs(self) -> list[str]:
        """Return the ids of all runs, newest first."""
        rows = self._link.read("SELECT run FROM runbook.heads ORDER BY id DESC")
        return [row[0] for row in rows]

    def head(self, run: str) -> Head | None:
        """Return the run's count and last hash; None when there is no such run."""
        rows = self._link.read(
            "SELECT count, hash FROM runbook.heads WHERE run = %(run)s", {"run": run}
        )
        return Head(*rows[0]) if rows else None

    def read(self, run: str, after: int = 0) -> list[Record]:
        """Return the run's records after number `after`, in order."""
        rows = self._link.read(
            f"SELECT {_COLUMNS} FROM runbook.events "  # noqa: S608 - columns of ours
            "WHERE run = %(run)s AND seq > %(after)s ORDER BY seq",
            {"run": run, "after": after},
        )
        return [self._record(row) for row in rows]

    def sources(self, run: str) -> dict[str, bytes]:
        """Return the definition's files of a run, byte for byte, by name."""
        rows = self._link.read(
            "SELECT name, content, hash FROM runbook.sources JOIN runbook.blobs USING (hash) "
            "WHERE run = %(run)s",
            {"run": run},
        )
        for name, content, digest in rows:
            if hashlib.sha256(content).hexdigest() != digest:
                raise self._damaged(f"the file {name} that the run {run} began with was altered")
        return {name: bytes(content) for name, content, _ in rows}

    def create_run(
        self,
        run: str,
        started: RunStarted,
        *,
        operator: str,
        host: str,
        token: int,
        sources: Mapping[str, bytes],
    ) -> Record:
        """Begin a run with its first record and its files; see `Journal.create_run`."""
        by = _By(run, self._clock(), operator, host, token)
        linked = _linked(EMPTY, [started], by)
        values = {**self._values(EMPTY, linked, by), **_files(sources)}
        if not self._link.rows(_CREATE, values):
            if self.head(run) is not None:
                raise RunExists(run)
            raise self._fenced(run, token)
        return linked[0][0]

    def keep(self, run: str, sources: Mapping[str, bytes]) -> None:
        """Keep files of a definition that the run is about to adopt; see `Journal.keep`."""
        if self.head(run) is None:
            raise KeyError(run)
        self._link.rows(_KEEP, {"run": run, **_files(sources)})

    def append(
        self,
        run: str,
        payloads: Sequence[Payload],
        *,
        operator: str,
        host: str,
        token: int,
        after: int | None = None,
    ) -> list[Record]:
        """Add records in one transaction; see `Journal.append`. KeyError for an unknown run."""
        by = _By(run, self._clock(), operator, host, token)
        head = self._known.get(run)
        while True:
            # Mostly nobody else has written since: then the head need not be read first.
            if head is None or after not in (None, head.count):
                head = self._head_for(run, token, after)
            linked = _linked(head, payloads, by)
            if not linked:
                return []
            if self._link.rows(_APPEND, self._values(head, linked, by)):
                self._known[run] = head_of(linked[-1][0])
                return [record for record, _ in linked]
            found = self._head_for(run, token, after)
            if found == head:
                raise self._fenced(run, token)
            head = found

    def close(self) -> None:
        """Nothing: the connections are the store's."""

    def _head_for(self, run: str, token: int, after: int | None) -> Head:
        rows = self._link.read(
            "SELECT count, hash, token, origin FROM runbook.heads WHERE run = %(run)s", {"run": run}
        )
        if not rows:
            raise KeyError(run)
        count, last, newest, origin = rows[0]
        if origin is not None:
            raise ImportedRun(run, origin)
        if token < newest:
            raise Fenced(f"run {run} was taken over: token {newest} has written since {token}")
        if after is not None and after != count:
            raise Overtaken(f"run {run} has {count} events, the writer knows {after}")
        return Head(count, last)

    def _values(
        self, head: Head, linked: Sequence[tuple[Record, str]], by: _By
    ) -> dict[str, object]:
        fences = self._fences.fences()
        last = head_of(linked[-1][0])
        records = [record for record, _ in linked]
        return {
            "kinds": [kind for kind, _, _ in fences],
            "names": [name for _, name, _ in fences],
            "tokens": [token for _, _, token in fences],
            "run": by.run,
            "at": by.at,
            "operator": records[0].operator,
            "host": records[0].host,
            "token": by.token,
            "known": head.count,
            "prev": head.hash,
            "count": last.count,
            "hash": last.hash,
            "seqs": [record.seq for record in records],
            "event_kinds": [record.kind for record in records],
            "datas": [text for _, text in linked],
            "prevs": [record.prev for record in records],
            "hashes": [record.hash for record in records],
        }

    def _fenced(self, run: str, token: int) -> Fenced:
        return Fenced(
            f"run {run} was taken over: the lease with token {token} is not held any more"
        )

    def _record(self, row: Sequence[Any]) -> Record:
        try:
            data = json.loads(row[4], parse_constant=_refuse_constant)
        except ValueError as problem:
            raise self._damaged(f"event {row[0]} of run {row[1]} is not JSON") from problem
        return as_kept(Record(row[0], row[1], row[2], row[3], data, *row[5:]), row[4])

    def _damaged(self, what: str) -> StoreCorrupt:
        return StoreCorrupt(
            f"The journal in {place(self._link.url)} is damaged: {what}.",
            "Put the database back from a backup.",
        )


class _By:
    """In whose name, and when, records are made."""

    __slots__ = ("at", "host", "operator", "run", "token")

    def __init__(self, run: str, at: str, operator: str, host: str, token: int) -> None:
        self.run, self.at, self.operator, self.host, self.token = run, at, operator, host, token


def _linked(head: Head, payloads: Sequence[Payload], by: _By) -> list[tuple[Record, str]]:
    made: list[tuple[Record, str]] = []
    for payload in payloads:
        made.append(
            link(
                head,
                by.run,
                by.at,
                payload,
                operator=by.operator,
                host=by.host,
                token=by.token,
            )
        )
        head = head_of(made[-1][0])
    return made


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _files(sources: Mapping[str, bytes]) -> dict[str, object]:
    return {
        "files": list(sources),
        "digests": [hashlib.sha256(content).hexdigest() for content in sources.values()],
        "contents": list(sources.values()),
    }
