"""Looks whether a host, engine, registry, database, server or directory answers as itself.

`probe` says present when it does, absent with the reason in words when it does not. It changes
nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from runbook_tui.actions.api import ActionFailed, Context, Finding, Job
from state.status import Verdict

PATIENCE: Final = 15.0
"""Seconds for an answer."""


class _NotReached(Exception):  # noqa: N818 - it reads as what happened
    """It cannot be reached; the text says why, without the name of what was tried."""


def probe(job: Job, context: Context) -> Finding:
    """Look once. The options are `kind`, `target` and `options` of a `Reach`."""
    kind = str(job.options["kind"])
    try:
        said = _LOOKS[kind](job, context)
    except (_NotReached, ActionFailed) as problem:
        return Finding(Verdict.ABSENT, str(problem))
    return Finding(Verdict.PRESENT, said)


def _host(job: Job, context: Context) -> str:
    from runbook_tui.actions.shared import ssh_connection

    for host in job.hosts:
        ssh_connection.connect(host, job.ssh_config, PATIENCE).close()
    return "logged in"


def _docker(job: Job, context: Context) -> str:
    from runbook_tui.actions.shared import docker_engine

    if not job.hosts:
        client = docker_engine.local(str(job.options["target"]) or None)
        try:
            return f"engine {client.version()['Version']}"
        finally:
            client.close()
    socket_path = str(_options(job).get("socket"))
    versions = []
    for host in job.hosts:
        with docker_engine.remote(host, socket_path, job.ssh_config, PATIENCE) as client:
            versions.append(client.version()["Version"])
    return f"engine {', '.join(versions)}"


def _registry(job: Job, context: Context) -> str:
    from runbook_tui.actions.shared import registry_client

    options = _options(job)
    place = options.get("registry")
    place = place if isinstance(place, Mapping) else {}
    auth = options.get("auth")
    try:
        registry_client.manifest(
            str(job.options["target"]),
            auth=auth if isinstance(auth, Mapping) else None,
            ca=str(place["ca"]) if place.get("ca") else None,
            insecure=bool(place.get("insecure")),
        )
    except registry_client.RegistryError as problem:
        raise _NotReached(f"The registry does not answer as one: {problem}.") from problem
    return "answers"


def _postgres(job: Job, context: Context) -> str:
    from runbook_tui.actions.shared import postgres

    connection = postgres.connect(replace(job, options={"database": job.options["target"]}))
    try:
        version = connection.info.server_version
        return f"PostgreSQL {version // 10_000}.{version % 10_000}"
    finally:
        connection.close()


def _http(job: Job, context: Context) -> str:
    from runbook_tui.actions.shared import http

    ca = _options(job).get("ca")
    with http.client(ca=str(ca) if ca else None, timeout=PATIENCE) as session:
        request = session.build_request("GET", str(job.options["target"]))
        try:
            answer = http.fetch(session, request, PATIENCE)
        except http.NoAnswer as problem:
            raise _NotReached(f"It does not answer: {problem}.") from problem
    return f"answers with {answer.status}"


def _git(job: Job, context: Context) -> str:
    from runbook_tui.actions.shared.git import Git, GitError

    try:
        Git(context, job.cwd).run("ls-remote", "--heads", "--", str(job.options["target"]))
    except (GitError, OSError) as problem:
        raise _NotReached(f"The remote does not answer: {problem}.") from problem
    return "answers"


def _directory(job: Job, context: Context) -> str:
    path = Path(job.cwd) / str(job.options["target"])
    there = next(one for one in (path, *path.parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise _NotReached(f"{there} is no directory that can be written to.")
    return "can be written to" if there == path else f"can be made in {there}"


def _smtp(job: Job, context: Context) -> str:
    name, _, port = str(job.options["target"]).rpartition(":")
    return _answers(name, int(port))


def _s3(job: Job, context: Context) -> str:
    from runbook_tui.actions.backup import stores

    options = {"to": job.options["target"], "s3": _options(job)}
    try:
        kept = stores.open_store(replace(job, options=options)).sizes()
    except stores.KeepError as problem:
        raise _NotReached(f"The bucket cannot be listed: {problem}.") from problem
    return f"{len(kept)} objects there"


def _answers(name: str, port: int) -> str:
    try:
        socket.create_connection((name, port), timeout=PATIENCE).close()
    except OSError as problem:
        raise _NotReached(f"Nothing answers: {problem.strerror or problem}.") from problem
    return "answers"


def _options(job: Job) -> Mapping[str, object]:
    options = job.options.get("options")
    return options if isinstance(options, Mapping) else {}


_LOOKS: Final[Mapping[str, Callable[[Job, Context], str]]] = {
    "host": _host,
    "docker": _docker,
    "registry": _registry,
    "postgres": _postgres,
    "http": _http,
    "git": _git,
    "directory": _directory,
    "smtp": _smtp,
    "s3": _s3,
}
