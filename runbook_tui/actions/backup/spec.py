"""What is known of `backup` before it acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from runbook_tui.actions.api import Reach, Row, Spec
from runbook_tui.actions.shared import database
from runbook_tui.actions.shared.database import Database
from runbook_tui.actions.shared.fields import REFERENCE, Duration, Options
from state.json_value import Json


class S3Options(Options):
    """How to reach an S3-compatible object store."""

    endpoint: str | None = Field(
        default=None, description="URL of the service. Default: AWS by region."
    )
    region: str = Field(default="us-east-1", description="Region.")
    access_key: str | None = Field(
        default=None, description="Access key id. Default: $AWS_ACCESS_KEY_ID."
    )
    secret_key: str | None = Field(
        default=None,
        description="Secret key; name it as a secret. Default: $AWS_SECRET_ACCESS_KEY.",
    )
    ca: str | None = Field(
        default=None,
        description="File of the certificate authorities to trust instead of the system's.",
    )


class BackupOptions(Options):
    """Options of `backup`."""

    database: Database
    to: str = Field(
        min_length=1,
        description="Where the dump goes: a directory, or `s3://BUCKET/PREFIX`. Its name holds "
        "database, run and step; beside it lies a `.json` with size, SHA-256, run and time.",
    )
    keep: Duration | None = Field(
        default=None,
        description="Dumps of the same database that this program made here and that are older are "
        "removed, after the new one is proven. Default: none is removed.",
    )
    compress: int | None = Field(
        default=None, ge=0, le=9, description="Level of compression. Default: pg_dump's."
    )
    exclude_data: list[str] = Field(
        default_factory=list, description="Patterns of tables of which only the shape is dumped."
    )
    s3: S3Options | None = Field(
        default=None, description="How to reach the object store, for a `to` of `s3://…`."
    )

    @model_validator(mode="after")
    def _store(self) -> BackupOptions:
        if self.s3 is not None and REFERENCE not in self.to and not self.to.startswith("s3://"):
            raise ValueError("s3 goes with a to of s3://BUCKET/PREFIX")
        return self


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    rows = [
        Row("Database", database.shown(options)),
        Row("Writes", f"a dump and its SHA-256 to {options.get('to')}"),
        Row("Proves", "that the dump can be read back, from where it was written"),
    ]
    if options.get("keep"):
        rows.append(Row("Removes", f"dumps older than {options['keep']}"))
    return tuple(rows)


def _carries(run: str, step: str, commit: str | None) -> Mapping[str, Json]:
    return {"run": run, "step": step}


def _reaches(options: Mapping[str, Any]) -> tuple[Reach, ...]:
    to = str(options.get("to") or "")
    store = Reach("s3", to, options.get("s3") or {}) if to.startswith("s3://") else None
    return (*database.reach(options), store or Reach("directory", to))


SPEC = Spec(
    kind="backup",
    summary="Dumps a PostgreSQL database to a directory or object store, and proves the dump.",
    options=BackupOptions,
    perform="runbook_tui.actions.backup.perform",
    proof="mark",
    outputs=lambda options: ("path", "size", "sha256"),
    describe=_describe,
    simulate=lambda options: (f"would dump {database.shown(options)} to {options.get('to')}",),
    tools=lambda options: {"pg_dump": "postgresql-client", "pg_restore": "postgresql-client"},
    carries=_carries,
    reaches=_reaches,
    causes=("connection",),
    example="""\
id: backup
name: Backup current production database
backup:
  database: postgresql://backup@db-1.example.org/practice_hub
  to: s3://practice-hub-backups/daily
  keep: 30d
""",
)
