"""PostgreSQL 15 or newer, run as the system's `postgres`, with a database for each environment.

The sandbox directory is closed to everybody but root, and a home directory above it often is, too.
The server therefore has a mount namespace of its own, in which its directory appears under /mnt: it
needs no right on any directory above. The namespace goes when its last process does.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from runbook_tui.sandbox.errors import SandboxError
from runbook_tui.sandbox.services import Service
from runbook_tui.sandbox.site import LOOPBACK, Site, write

DATABASES: Final = ("practice_hub", "practice_hub_staging")
ROLE: Final = "practice_hub"
_DATA: Final = "/mnt/data"
_IN_NAMESPACE: Final = (
    'mount --bind "$1" /mnt && cd /mnt && shift &&'
    ' exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"'
)
_SETTINGS = """\
listen_addresses = '{address}'
port = {port}
unix_socket_directories = ''
max_connections = 60
shared_buffers = 64MB
shared_preload_libraries = 'pg_stat_statements'
log_lock_waits = on
log_min_duration_statement = 1000
client_connection_check_interval = 500
cluster_name = '{token}'
"""


def programs() -> Path | None:
    """Return the directory of the newest server's programs, None when there is no server."""
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = max(found, key=lambda path: int(path.parent.parent.name), default=None)
    return newest.parent if newest else None


def service(site: Site) -> Service:
    """Describe the server. `cluster_name` carries our token, so that we know it is ours."""
    data = site.at("postgres", "data")
    return Service(
        name="postgres",
        title="PostgreSQL",
        argv=lambda: [*_as_postgres(site), str(_programs() / "postgres"), "-D", _DATA],
        ready=lambda: _answers(site),
        prepare=lambda: _prepare(site, data),
        tidy=lambda: (data / "postmaster.pid").unlink(missing_ok=True),
        port="postgres",
        ending=signal.SIGINT,
    )


def superuser_url(site: Site, database: str = "postgres") -> str:
    """Return how the sandbox itself reaches the server. Runbooks never get this one."""
    password = site.passwords["database"]
    return f"postgresql://postgres:{password}@{LOOPBACK}:{site.ports['postgres']}/{database}"


def furnish(site: Site, say: Callable[[str], None]) -> None:
    """Create the role and the databases that are missing."""
    with psycopg.connect(superuser_url(site), autocommit=True) as connection:
        roles = connection.execute("select 1 from pg_roles where rolname = %s", [ROLE]).fetchone()
        if not roles:
            create = sql.SQL("create role {} login password {}").format(
                sql.Identifier(ROLE), sql.Literal(site.passwords["database"])
            )
            connection.execute(create)
            connection.execute(sql.SQL("grant pg_monitor to {}").format(sql.Identifier(ROLE)))
        there = {row[0] for row in connection.execute("select datname from pg_database")}
        for name in (name for name in DATABASES if name not in there):
            say(f"Database {name}: made")
            connection.execute(
                sql.SQL("create database {} owner {}").format(
                    sql.Identifier(name), sql.Identifier(ROLE)
                )
            )
    for name in DATABASES:
        with psycopg.connect(superuser_url(site, name), autocommit=True) as connection:
            connection.execute("create extension if not exists pg_stat_statements")


def _answers(site: Site) -> bool:
    with psycopg.connect(superuser_url(site), connect_timeout=5) as connection:
        row = connection.execute("show cluster_name").fetchone()
    return row is not None and row[0] == site.token


def _prepare(site: Site, data: Path) -> None:
    if not (data / "PG_VERSION").exists() or not (data / "sandbox.conf").exists():
        _initialise(site, data)
    port = site.ports["postgres"]
    text = _SETTINGS.format(address=LOOPBACK, port=port, token=site.token)
    write(data / "sandbox.conf", text)
    _give(data / "sandbox.conf")


def _initialise(site: Site, data: Path) -> None:
    """Make the cluster anew; one that was only half made is removed."""
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700, parents=True)
    _give(data.parent)
    _give(data)
    password = data.parent / "password"
    write(password, site.passwords["database"] + "\n")
    _give(password)
    made = subprocess.run(
        [
            *_as_postgres(site),
            *(str(_programs() / "initdb"), "-D", _DATA, "--no-sync", "--encoding=UTF8"),
            *("--locale=C", "--username=postgres", "--auth=scram-sha-256"),
            "--pwfile=/mnt/password",
        ],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    password.unlink()
    if made.returncode:
        raise SandboxError(
            f"PostgreSQL's data directory could not be made: {made.stderr.strip()[-300:]}",
            "Mend the cause and run `runbook sandbox up` again.",
        )
    with (data / "postgresql.conf").open("a") as settings:
        settings.write("\ninclude 'sandbox.conf'\n")


def _as_postgres(site: Site) -> list[str]:
    return ["unshare", "--mount", "sh", "-c", _IN_NAMESPACE, "sh", str(site.at("postgres"))]


def _give(path: Path) -> None:
    owner = pwd.getpwnam("postgres")
    os.chown(path, owner.pw_uid, owner.pw_gid)


def _programs() -> Path:
    found = programs()
    if found is None:
        raise SandboxError("PostgreSQL is missing.", "Install it: apt-get install postgresql")
    return found
