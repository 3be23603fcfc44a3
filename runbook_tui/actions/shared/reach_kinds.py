"""How each kind of need is looked at: one function a kind, from its target to an answer.

Client libraries are imported where they are used: a plan without a database needs no driver.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from runbook_tui.actions.api import ActionFailed, Host, Job

LIMIT: Final = 10.0
"""Seconds that something may take to answer."""

_NUMBER = re.compile(r"\d+(?:\.\d+)+|\d+")
_WANTED = re.compile(r"\s*(>=|<=|==|=|>|<)?\s*v?(\d+(?:\.\d+)*)\s*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one look. `name` is a better name than the need's, if the look found one."""

    level: Literal["good", "warns", "blocks"]
    sentence: str
    mend: str = ""
    name: str = ""


def program(job: Job, target: str, options: Mapping[str, Any]) -> Answer:
    """Look for a client program, of the version wanted."""
    package = str(options.get("package") or "")
    if shutil.which(target) is None:
        mend = f"apt install {package}" if package else f"Install {target}."
        return Answer("blocks", "is not installed", mend)
    wanted = str(options.get("version") or "")
    if options.get("database"):
        return _no_older_than_server(job, target, str(options["database"]))
    return _of_version(target, wanted) if wanted else Answer("good", "is installed")


def _of_version(target: str, wanted: str) -> Answer:
    rule = _WANTED.fullmatch(wanted)
    has = _version(target)
    if rule is None or has is None:
        return Answer("warns", f"is installed; nobody can tell whether it is {wanted}")
    if _fits(has, rule[1] or ">=", rule[2]):
        return Answer("good", f"is {has}")
    return Answer("blocks", f"is {has}, needed is {wanted}", f"Install {target} {wanted}.")


def _version(target: str) -> str | None:
    """Return the first thing that looks like a version in what a program says of itself."""
    try:
        done = subprocess.run(
            [target, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _NUMBER.search(done.stdout.decode(errors="replace"))
    return found[0] if found else None


def _fits(has: str, sign: str, wanted: str) -> bool:
    ours, theirs = ([int(part) for part in text.split(".")] for text in (has, wanted))
    # `2` means any 2.x for `==`, and 2.0 otherwise.
    if sign in ("=", "=="):
        return ours[: len(theirs)] == theirs
    length = max(len(ours), len(theirs))
    ours, theirs = ((parts + [0] * length)[:length] for parts in (ours, theirs))
    return {
        ">=": ours >= theirs,
        "<=": ours <= theirs,
        ">": ours > theirs,
        "<": ours < theirs,
    }[sign]


def _no_older_than_server(job: Job, target: str, database: str) -> Answer:
    """pg_dump refuses a server that is newer than itself."""
    from runbook_tui.actions.shared import postgres

    ours = _version(target)
    try:
        with postgres.connect(_with_database(job, database)) as connection:
            server = connection.info.server_version // 10_000
    except ActionFailed:
        return Answer("good", f"is {ours or 'installed'}")  # the database has a line of its own
    if ours is not None and int(ours.split(".")[0]) < server:
        sentence = f"is {ours}, the server is {server}: it would refuse"
        return Answer("blocks", sentence, f"apt install postgresql-client-{server}")
    return Answer("good", f"is {ours or 'installed'}")


def host(job: Job, target: str, options: Mapping[str, Any]) -> Answer:
    """Log in to a host over SSH, its key checked."""
    from runbook_tui.actions.shared import ssh_connection

    try:
        ssh_connection.connect(Host(**options["host"]), options["ssh_config"], LIMIT).close()
    except ActionFailed as fault:
        return Answer("blocks", fault.sentence)
    return Answer("good", "lets us in over SSH")


def nowhere(job: Job, target: str, options: Mapping[str, Any]) -> Answer:
    """Answer for a host that the inventory does not have."""
    place = f"the inventory of {target}" if target else "any inventory"
    return Answer("blocks", f"is not in {place}", "Name it under hosts in the environments file.")


def docker(job: Job, target: str, options: Mapping[str, Any]) -> Answer:
    """Ask a Docker engine for its version: this machine's, or a host's through a tunnel."""
    from runbook_tui.actions.shared import docker_engine

    try:
        if options.get("host"):
            there = Host(**options["host"])
            with docker_engine.remote(
                there, options["socket"], options["ssh_config"], LIMIT
            ) as client:
                return _engine(client.version())
        local = docker_engine.local(target or None)
        try:
            return _engine(local.version())
        finally:
            local.close()
    except ActionFailed as fault:
        return Answer("blocks", fault.sentence)


def _engine(version: Mapping[str, Any]) -> Answer:
    return Answer("good", f"answers, version {version.get('Version')}")


def registry(job: Job, target: str, options: Mapping[str, Any]) -> Answer:
    """Ask a registry for an image's manifest: that there is none is an answer too."""
    from runbook_tui.actions.shared import docker_engine, registry_client

    access = options.get("registry") or {}
    name = docker_engine.registry_of(target)
    ca = access.get("ca")
    try:
        registry_client.manifest(
            target,
            auth=options.get("auth"),
            ca=str(Path(job.cwd) / ca) if ca else None,
            insecure=bool(access.get("insecure")),
        )
    except registry_client.RegistryError as fault:
        return Answer("blocks", str(fault), "Look at its address and login.", name)
    return Answer("good", "lets us in", name=name)


def postgres(job: Job, target: str, options: Mapping[str, Any]) -> Answer:
    """Connect to a database."""
    from runbook_tui.actions.shared import postgres as client

    try:
        with client.connect(_with_database(job, target)) as connection:
            version = connection.info.server_version // 10_000
            return Answer("good", f"answers, PostgreSQL {version}", name=client.where(connection))
    except ActionFailed as fault:
        return Answer("blocks", fault.sentence, name=_database(target))


def _with_database(job: Job, database: str) -> Job:
    return replace(job, options={"database": database, "connect_timeout": f"{LIMIT:.0f}s"})


def _database(target: str) -> str:
    """Return where a connection would go, without its password."""
    from psycopg import conninfo

    try:
        known = conninfo.conninfo_to_dict(target)
    except Exception:  # noqa: BLE001 - its text would show the password
        return "database"
    place = f"{known.get('host') or 'the local socket'}:{known.get('port') or 5432}"
    return f"{known.get('dbname') or 'database'} at {place}"


def http(job: Job, target: str, options: Mapping[str, Any]) -> Answer:
    """Ask for a page. What a run deploys may not be there before it: this never blocks."""
    import httpx

    from runbook_tui.actions.shared import http as client

    ca = options.get("ca")
    try:
        with client.client(ca=str(Path(job.cwd) / ca) if ca else None, timeout=LIMIT) as session:
            answer = client.fetch(session, httpx.Request("GET", target), LIMIT)
    except ActionFailed as fault:
        return Answer("blocks", fault.sentence)
    except client.NoAnswer as fault:
        return Answer("warns", f"does not answer yet: {fault}")
    level: Literal["good", "warns"] = "warns" if answer.status >= 500 else "good"
    return Answer(level, f"answers {answer.status}")


def git(job: Job, target: str, options: Mapping[str, Any]) -> Answer:
    """Ask a remote for its HEAD."""
    from runbook_tui.actions.shared.git import SILENT

    silent = {**SILENT, "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")}
    try:
        done = subprocess.run(
            ["git", "ls-remote", "--", target, "HEAD"],
            cwd=job.cwd,
            env={**os.environ, **silent},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=LIMIT,
        )
    except subprocess.TimeoutExpired:
        return Answer("blocks", f"did not answer within {LIMIT:.0f} s")
    except OSError as fault:
        return Answer("blocks", f"git cannot be run: {fault.strerror}", "apt install git")
    if done.returncode == 0:
        return Answer("good", "answers")
    said = done.stderr.decode(errors="replace").strip().splitlines()
    why = next((line for line in said if line.startswith(("fatal:", "error:"))), "it refuses")
    return Answer("blocks", why, f"git -C {job.cwd} ls-remote {target} must work by itself.")


def directory(job: Job, target: str, options: Mapping[str, Any]) -> Answer:
    """Look whether a directory can be written, or made."""
    path = Path(job.cwd) / target
    there = next(one for one in (path, *path.parents) if one.exists())
    if not there.is_dir():
        return Answer("blocks", f"{there} is no directory")
    if not os.access(there, os.W_OK | os.X_OK):
        return Answer("blocks", f"{there} cannot be written", f"Let this user write to {there}.")
    return Answer("good", "can be written" if there == path else "will be made")


def smtp(job: Job, target: str, options: Mapping[str, Any]) -> Answer:
    """Greet a mail server, and look whether it offers the encryption wanted. No login, no mail."""
    import smtplib
    import ssl

    server, _, port = target.rpartition(":")
    wanted, ca = options.get("security") or "starttls", options.get("ca")
    try:
        if wanted == "tls":
            trust = ssl.create_default_context(cafile=str(Path(job.cwd) / ca) if ca else None)
            client: smtplib.SMTP = smtplib.SMTP_SSL(server, int(port), timeout=LIMIT, context=trust)
        else:
            client = smtplib.SMTP(server, int(port), timeout=LIMIT)
        with client:
            client.ehlo()
            offered = wanted != "starttls" or client.has_extn("starttls")
    except (OSError, smtplib.SMTPException) as fault:
        return Answer("blocks", f"does not answer: {getattr(fault, 'strerror', None) or fault}")
    if not offered:
        return Answer("blocks", "offers no STARTTLS", "Set security to what it offers.")
    return Answer("good", "answers")


def s3(job: Job, target: str, options: Mapping[str, Any]) -> Answer:
    """List the place in a bucket."""
    from runbook_tui.actions.backup.stores import KeepError, open_store

    try:
        open_store(replace(job, options={"to": target, "s3": options})).sizes()
    except (KeepError, ActionFailed) as fault:
        return Answer("blocks", str(fault), "Look at its address, keys and bucket.")
    return Answer("good", "lets us in")


KINDS: Final[Mapping[str, Callable[[Job, str, Mapping[str, Any]], Answer]]] = {
    "program": program,
    "host": host,
    "nowhere": nowhere,
    "docker": docker,
    "registry": registry,
    "postgres": postgres,
    "http": http,
    "git": git,
    "directory": directory,
    "smtp": smtp,
    "s3": s3,
}

_SHARED: Final = "runbook_tui.actions.shared"
LIBRARIES: Final[Mapping[str, str]] = {
    "host": f"{_SHARED}.ssh_connection",
    "docker": f"{_SHARED}.docker_engine",
    "registry": f"{_SHARED}.registry_client",
    "postgres": f"{_SHARED}.postgres",
    "http": f"{_SHARED}.http",
    "s3": "obstore",
}
"""What takes long to import, by kind."""
