"""What is known of `sql` before it acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from runbook_tui.actions.api import Row, Spec
from runbook_tui.actions.shared import database
from runbook_tui.actions.shared.database import Database
from runbook_tui.actions.shared.fields import Duration, Options, Scalar

ColumnName = Annotated[str, Field(min_length=1)]


class SqlOptions(Options):
    """Options of `sql`."""

    query: str = Field(
        min_length=1,
        description="One SQL statement. Values reach it through `values`, never pasted in.",
    )
    database: Database
    values: dict[str, Scalar] = Field(
        default_factory=dict,
        description="Values of the statement's `%(name)s` places, sent apart from its text.",
    )
    expect: Scalar | None = Field(
        default=None,
        description="What the first column of the first row must be, as text. A NULL is the text "
        "`NULL`, a truth value is `t` or `f`. Another answer fails the step.",
    )
    rows: int | None = Field(default=None, ge=0, description="How many rows the answer must have.")
    outputs: list[ColumnName] = Field(
        default_factory=list,
        description="Columns of the first row that become outputs of the step.",
    )
    write: bool = Field(
        default=False,
        description="Allow the statement to change data, in a transaction of its own. Otherwise "
        "the server refuses every change.",
    )
    lock_timeout: Duration = Field(
        default="30s", description="How long the statement may wait for a lock."
    )
    statement_timeout: Duration | None = Field(
        default=None, description="How long the statement may take. Default: unlimited."
    )
    connect_timeout: Duration = Field(default="10s", description="How long connecting may take.")
    show: int = Field(
        default=50, ge=0, le=1000, description="How many rows of the answer go into the log."
    )


def _outputs(options: Mapping[str, Any]) -> tuple[str, ...]:
    return ("value", "count", *(options.get("outputs") or ()))


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    lines = str(options.get("query") or "").strip().splitlines() or [""]
    rows = [Row("Database", database.shown(options))]
    rows.append(Row("Writes" if options.get("write") else "Asks", lines[0]))
    rows += [Row("", line) for line in lines[1:]]
    if options.get("expect") is not None:
        rows.append(Row("Expects", str(options["expect"])))
    if options.get("rows") is not None:
        rows.append(Row("Expects", f"{options['rows']} rows"))
    return tuple(rows)


SPEC = Spec(
    kind="sql",
    summary="Asks a database one question and compares the answer; read-only unless told.",
    options=SqlOptions,
    perform="runbook_tui.actions.sql.perform",
    reads=lambda options: options.get("write") in {None, False, "false"},
    proof="state",
    shorthand="query",
    causes=("connection", "lock_timeout", "statement_timeout", "expectation"),
    outputs=_outputs,
    describe=_describe,
    simulate=lambda options: (f"would ask {database.shown(options)}: {options.get('query')}",),
    reaches=database.reach,
    example="""\
id: admins
name: Every administrator has a second factor
sql:
  database: postgresql://reader@db-1.example.org/practice_hub
  query: select count(*) from users where role = 'admin' and not second_factor
  expect: 0
""",
)
