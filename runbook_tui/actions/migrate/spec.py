"""What is known of `migrate` before it acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from runbook_tui.actions.api import Row, Spec
from runbook_tui.actions.shared import database
from runbook_tui.actions.shared.database import Database
from runbook_tui.actions.shared.fields import Duration, Options, Scalar
from state.json_value import Json

Table = Annotated[str, Field(pattern=r"^([a-z_][a-z0-9_]*\.)?[a-z_][a-z0-9_]*$")]


class MigrateOptions(Options):
    """Options of `migrate`: numbered files in a `directory`, or an external `command`."""

    database: Database | None = Field(
        default=None,
        description="Connection to PostgreSQL: a `postgresql://` URL or a `key=value` string. "
        "Required but for `command`.",
    )
    directory: str | None = Field(
        default=None,
        description="Directory of the files `NNNN_name.sql`, relative to the run's directory. They "
        "are applied in the order of their numbers, each in a transaction of its own together with "
        "its row in the ledger. A file whose first lines hold `-- runbook: no-transaction` has one "
        "statement that runs outside of a transaction, such as CREATE INDEX CONCURRENTLY; an "
        "invalid index that an earlier try left behind is dropped first. Default: `migrations`.",
    )
    table: Table = Field(
        default="schema_log",
        description="Ledger of applied files, made when missing: version, name, checksum, run, "
        "step, transaction, time.",
    )
    to: Scalar | None = Field(
        default=None, description="Number of the last file to apply. Default: all."
    )
    out_of_order: bool = Field(
        default=False,
        description="Apply a file whose number is below the last applied one. Otherwise such a "
        "file fails the step before anything is changed.",
    )
    lock_timeout: Duration = Field(
        default="30s",
        description="How long to wait for a lock: for another migration's, and in each statement. "
        "Then the file is rolled back and the step fails with cause `lock_timeout`.",
    )
    statement_timeout: Duration | None = Field(
        default=None, description="How long one statement may take. Default: unlimited."
    )
    connect_timeout: Duration = Field(default="10s", description="How long connecting may take.")
    command: str | None = Field(
        default=None,
        description="Shell text that migrates by another tool. It finds the connection in "
        "$DATABASE_URL when `database` is given; its proof is the step's `verify`.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> MigrateOptions:
        if self.command is not None:
            if self.directory is not None or self.to is not None:
                raise ValueError("command does the migrating: directory and to do not go with it")
        elif self.database is None:
            raise ValueError("database is missing")
        return self


def _outputs(options: Mapping[str, Any]) -> tuple[str, ...]:
    return ("exit_code",) if options.get("command") else ("applied", "count", "version")


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    rows = [Row("Database", database.shown(options))] if options.get("database") else []
    if command := options.get("command"):
        return (*rows, *(Row("Runs", line) for line in str(command).strip().splitlines()))
    upto = f" up to {options['to']}" if options.get("to") else ""
    return (
        *rows,
        Row("Applies", f"what is missing of {options.get('directory') or 'migrations'}{upto}"),
        Row("Each file", f"one transaction, lock timeout {options.get('lock_timeout') or '30s'}"),
        Row("Ledger", str(options.get("table") or "schema_log")),
    )


def _simulate(options: Mapping[str, Any]) -> tuple[str, ...]:
    if command := options.get("command"):
        return tuple(f"would run: {line}" for line in str(command).strip().splitlines())
    directory = options.get("directory") or "migrations"
    return (f"would apply what is missing of {directory} to {database.shown(options)}",)


def _carries(run: str, step: str, commit: str | None) -> Mapping[str, Json]:
    return {"run": run, "step": step}


SPEC = Spec(
    kind="migrate",
    summary="Brings a database's schema up to date, each file exactly once.",
    options=MigrateOptions,
    perform="runbook_tui.actions.migrate.perform",
    proof="state",
    blind=lambda options: bool(options.get("command")),
    shorthand=None,
    scripts=("command",),
    causes=("connection", "lock_timeout", "statement_timeout"),
    outputs=_outputs,
    describe=_describe,
    simulate=_simulate,
    carries=_carries,
    reaches=database.reach,
    example="""\
id: migrate
name: Run database migrations
migrate:
  database: postgresql://migrator@db-1.example.org/practice_hub
  directory: migrations
  lock_timeout: 5s
confirm: typed
retries: {times: 2, delay: 5s, on: [lock_timeout]}
""",
)
