"""The schema of the shared journal: tables of our own in a schema `runbook`, brought up to date.

Whoever opens a database first makes it (that role owns it). Where there is a group role `runbook`
its members may use it: they read all, add events, and change heads, leases and the inbox; nobody
but the owner can change or remove an event.
"""

from __future__ import annotations

from typing import Any, Final

from state.errors import StoreNewer, StoreUnusable
from state.stores.postgres_silence import Impatient

SCHEMA_VERSION: Final = 4
GROUP: Final = "runbook"
"""The role whose members may use the journal."""

_LOCK: Final = 0x52424B31
"""The advisory lock under which the schema is made."""

_FIRST: Final = """
CREATE SCHEMA runbook;
CREATE TABLE runbook.version (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL
);
INSERT INTO runbook.version (version) VALUES (0);
CREATE TABLE runbook.heads (
    id bigint GENERATED ALWAYS AS IDENTITY,
    run text PRIMARY KEY,
    count bigint NOT NULL,
    hash text NOT NULL,
    token bigint NOT NULL,
    origin text
);
CREATE TABLE runbook.events (
    run text NOT NULL REFERENCES runbook.heads,
    seq bigint NOT NULL,
    at text NOT NULL,
    kind text NOT NULL,
    data text NOT NULL,
    operator text NOT NULL,
    host text NOT NULL,
    token bigint NOT NULL,
    prev text NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (run, seq)
);
CREATE TABLE runbook.blobs (hash text PRIMARY KEY, content bytea NOT NULL);
CREATE TABLE runbook.sources (
    run text NOT NULL REFERENCES runbook.heads,
    name text NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (run, name)
);
CREATE SEQUENCE runbook.tokens;
CREATE TABLE runbook.leases (
    kind text NOT NULL,
    name text NOT NULL,
    held boolean NOT NULL,
    token bigint NOT NULL,
    run text NOT NULL,
    operator text NOT NULL,
    host text NOT NULL,
    machine text NOT NULL,
    pid bigint NOT NULL,
    since text NOT NULL,
    role text NOT NULL,
    beat timestamptz NOT NULL,
    backend integer NOT NULL,
    PRIMARY KEY (kind, name)
);
CREATE TABLE runbook.inbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    run text NOT NULL REFERENCES runbook.heads,
    kind text NOT NULL,
    data text NOT NULL,
    sender text NOT NULL,
    host text NOT NULL,
    at text NOT NULL,
    identity text NOT NULL DEFAULT session_user,
    done boolean NOT NULL DEFAULT false
);
CREATE INDEX inbox_pending ON runbook.inbox (run, number) WHERE NOT done;
CREATE FUNCTION runbook.sign() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    -- Who sends is the database's word: nobody can send as somebody else.
    NEW.identity := session_user;
    RETURN NEW;
END $$;
CREATE TRIGGER sign BEFORE INSERT ON runbook.inbox FOR EACH ROW EXECUTE FUNCTION runbook.sign();
CREATE TABLE runbook.outputs (
    attempt text NOT NULL,
    start bigint NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (attempt, start)
);
ALTER TABLE runbook.outputs ALTER content SET STORAGE EXTERNAL;
"""

_CLAIMS: Final = """
CREATE TABLE runbook.claims (
    attempt text PRIMARY KEY,
    claimant text NOT NULL,
    token bigint NOT NULL,
    at timestamptz NOT NULL
);
"""

_PRESENCE: Final = """
CREATE UNLOGGED TABLE runbook.presence (
    id text PRIMARY KEY,
    run text NOT NULL,
    operator text NOT NULL,
    host text NOT NULL,
    identity text NOT NULL DEFAULT session_user,
    beat timestamptz NOT NULL,
    backend integer NOT NULL
);
CREATE TRIGGER sign BEFORE INSERT OR UPDATE ON runbook.presence
FOR EACH ROW EXECUTE FUNCTION runbook.sign();
"""

_PROCESS: Final = """
ALTER TABLE runbook.leases ADD COLUMN process text NOT NULL DEFAULT '';
"""

_STEPS: Final = (_FIRST, _CLAIMS, _PRESENCE, _PROCESS)
"""What makes each version of the schema from the one before."""

_GRANTS: Final = f"""
GRANT USAGE ON SCHEMA runbook TO {GROUP};
GRANT SELECT ON ALL TABLES IN SCHEMA runbook TO {GROUP};
GRANT INSERT ON runbook.heads, runbook.events, runbook.blobs, runbook.sources, runbook.leases,
    runbook.inbox, runbook.outputs, runbook.claims, runbook.presence TO {GROUP};
GRANT UPDATE (count, hash, token) ON runbook.heads TO {GROUP};
GRANT UPDATE ON runbook.leases TO {GROUP};
GRANT UPDATE (done) ON runbook.inbox TO {GROUP};
GRANT UPDATE (run, beat, backend), DELETE ON runbook.presence TO {GROUP};
GRANT USAGE, UPDATE ON SEQUENCE runbook.tokens TO {GROUP};
"""


def bring_up_to_date(connection: Impatient, place: str) -> None:
    """Make the schema, or what an older program's lacks, in one transaction.

    Raises StoreNewer, StoreUnusable, psycopg.Error. `place` names the database in words.
    """
    if _version(connection) == SCHEMA_VERSION:
        return
    _check_encoding(connection, place)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        # Another program may have done it while this one waited for the lock.
        found = _version(connection)
        if found is not None and found > SCHEMA_VERSION:
            raise StoreNewer(
                f"The journal in {place} was made by a newer runbook: its schema is {found}, this "
                f"program knows {SCHEMA_VERSION}.",
                "Use the newer program, or name another database in RUNBOOK_STATE.",
            )
        if found == SCHEMA_VERSION:
            return
        _check_rights(connection, place, found)
        with connection.patient():
            _make(connection, found or 0)


def _make(connection: Impatient, found: int) -> None:
    for step in _STEPS[found:]:
        connection.execute(step.encode())
    connection.execute("UPDATE runbook.version SET version = %s", (SCHEMA_VERSION,))
    if _one(connection, "SELECT 1 FROM pg_roles WHERE rolname = 'runbook'") is not None:
        connection.execute(_GRANTS.encode())


def _version(connection: Impatient) -> int | None:
    """Return the schema's version, None when there is none yet."""
    # Where the schema is there but closed to this role, or not ours, reading the version says so.
    if _one(connection, "SELECT 1 FROM pg_namespace WHERE nspname = 'runbook'") is None:
        return None
    found: int | None = _one(connection, "SELECT version FROM runbook.version")
    return found


def _check_encoding(connection: Impatient, place: str) -> None:
    encoding = _one(connection, "SHOW server_encoding")
    if encoding != "UTF8":
        raise StoreUnusable(
            f"The database {place} has the encoding {encoding}, and a journal needs UTF8.",
            "Create one for it: CREATE DATABASE runbook ENCODING 'UTF8' TEMPLATE template0",
        )


def _check_rights(connection: Impatient, place: str, found: int | None) -> None:
    """See that this role may make or change the schema. Raises StoreUnusable."""
    if found is None:
        may = _one(connection, "SELECT has_database_privilege(current_database(), 'CREATE')")
        what = "make its journal"
    else:
        may = _one(
            connection,
            "SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'runbook'",
        )
        what = f"bring its journal up to date (schema {found} to {SCHEMA_VERSION})"
    if not may:
        raise StoreUnusable(
            f"The database {place} does not let your role {what}.",
            "Have its owner do it once, with: runbook runs",
        )


def _one(connection: Impatient, statement: str) -> Any:
    row = connection.execute(statement.encode()).fetchone()
    return None if row is None else row[0]
