"""Runs pg_dump and pg_restore. The password goes in a private file, never in arguments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from runbook_tui.actions.api import ActionFailed, Context, Exit, Job
from runbook_tui.actions.shared import postgres, secret_files

PASSFILE = "PGPASS"


def database_name(job: Job) -> str:
    """Return the name of the database; ActionFailed when the connection string is not one."""
    parts = _parts(job)
    name = parts.get("dbname") or parts.get("user") or "postgres"
    return "".join(each if each.isalnum() or each in "_-" else "_" for each in name)


def dump(job: Job, context: Context, to: Path) -> None:
    """Write a dump in custom format; ActionFailed with pg_dump's last words."""
    options = job.options
    argv = ["pg_dump", "--format=custom", "--no-password", f"--file={to}", "--verbose"]
    if options["compress"] is not None:
        argv.append(f"--compress={options['compress']}")
    argv += [f"--exclude-table-data={pattern}" for pattern in options["exclude_data"]]
    parts = _parts(job)
    password = parts.pop("password", None)
    secrets = {PASSFILE: f"*:*:*:*:{_escaped(password)}\n"} if password else {}
    said = _LastLine()
    with secret_files.written(secrets, context.directory) as files:
        env = _environment(job, parts)
        if files:
            # An empty PGPASSWORD counts as none, so that the file is looked at.
            env |= {"PGPASSFILE": files[f"{PASSFILE}_FILE"], "PGPASSWORD": ""}
        ended = _run(context, argv, env, said)
    if ended.code != 0:
        cause = "connection" if "connection to server" in said.text else None
        raise ActionFailed(
            f"pg_dump ended with exit code {ended.code}: {said.words()}.",
            effect="none",
            cause=cause,
            exit_code=ended.code,
        )


def contents(context: Context, path: Path) -> int:
    """Return how many things a dump holds, as pg_restore reads them."""
    said, lines = _LastLine(), bytearray()

    def take(data: bytes) -> None:
        lines.extend(data)
        said.take(data)

    argv = ["pg_restore", "--list", str(path)]
    try:
        ended = context.run(argv, quiet=True, on_output=take)
    except OSError as fault:
        raise _missing("pg_restore", fault) from fault
    if ended.code != 0:
        raise ActionFailed(f"The dump cannot be read back: {said.words()}.", effect="none")
    return sum(bool(line) and not line.startswith(b";") for line in bytes(lines).splitlines())


def _parts(job: Job) -> dict[str, str]:
    try:
        return {
            key: str(value)
            for key, value in conninfo_to_dict(job.options["database"]).items()
            if value is not None
        }
    except ProgrammingError as fault:
        raise ActionFailed(
            f"The connection string is not one: {postgres.line(fault)}.", effect="none"
        ) from fault


def _environment(job: Job, parts: Mapping[str, str]) -> dict[str, str]:
    """Return libpq's variables for the parts of a connection string."""
    names = {
        option.keyword.decode(): option.envvar.decode()
        for option in Conninfo.get_defaults()
        if option.envvar
    }
    env = {names[key]: value for key, value in parts.items() if key in names}
    return env | {"PGAPPNAME": postgres.application(job), "LC_ALL": "C.UTF-8"}


def _run(context: Context, argv: list[str], env: Mapping[str, str], said: _LastLine) -> Exit:
    try:
        return context.run(argv, env=env, on_output=said.take)
    except OSError as fault:
        raise _missing("pg_dump", fault) from fault


def _missing(program: str, fault: OSError) -> ActionFailed:
    return ActionFailed(
        f"{program} could not be started: {fault.strerror}. It is in the Debian package "
        "postgresql-client.",
        effect="none",
    )


def _escaped(password: str) -> str:
    return password.replace("\\", "\\\\").replace(":", "\\:")


class _LastLine:
    """Keeps the end of what a program said."""

    def __init__(self) -> None:
        self.text = ""

    def take(self, data: bytes) -> None:
        self.text = (self.text + data.decode(errors="replace"))[-2000:]

    def words(self) -> str:
        lines = [line for line in self.text.splitlines() if line.strip()]
        told = [line for line in lines if "error:" in line or "FATAL" in line] or lines
        return told[-1].strip().rstrip(".") if told else "it said nothing"
