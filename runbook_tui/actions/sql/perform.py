"""Asks one question of a database; `answer` is shared with the looks of `check` and `verify`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg
from psycopg import Connection
from psycopg.pq.abc import PGresult
from psycopg.rows import TupleRow

from runbook_tui.actions.api import ActionFailed, Context, Evidence, Finding, Job, Outcome
from runbook_tui.actions.shared import backends, marks, postgres, sql_statements
from state.status import Verdict

CELL = 200
"""Most characters of a value in the log and in evidence."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the database said. `fault` says in what the answer is not the expected one."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    count: int
    status: str
    fault: str | None


def perform(job: Job, context: Context) -> Outcome:
    """Run the statement; fails when the answer is not the expected one."""
    found = answer(job, context)
    evidence = (_evidence(found),)
    if found.fault is not None:
        raise ActionFailed(found.fault, effect="none", cause="expectation", evidence=evidence)
    return Outcome(outputs=outputs(job, found), evidence=evidence)


def probe(job: Job, context: Context) -> Finding:
    """Tell what became of a statement that writes: the server knows its transaction."""
    if not job.options["write"]:
        return Finding(Verdict.ABSENT, "The statement only reads: it can be asked again.")
    xid = marks.last(job.previous, marks.XID)
    if xid is None:
        return Finding(Verdict.ABSENT, "No transaction was begun.")
    try:
        with closing(postgres.connect(job, role="looks")) as connection:
            row = connection.execute("select pg_xact_status(%s::xid8)", (xid,)).fetchone()
            at_it = backends.of_transaction(connection, xid)
    except (ActionFailed, psycopg.Error) as fault:
        said = f"The server cannot be asked about transaction {xid}: {postgres.line(fault)}."
        return Finding(Verdict.UNKNOWN, said)
    kept = marks.read_outputs(marks.last(job.previous, marks.ANSWER))
    return _judged(xid, row[0] if row else None, at_it, kept)


def answer(job: Job, context: Context) -> Answer:
    """Ask the question and log the answer; ActionFailed when there is no answer."""
    _refuse_more_than_one(job.options["query"])
    with closing(postgres.connect(job)) as connection:
        context.log(f"connected to {postgres.where(connection)}")
        try:
            found = postgres.attended(connection, context, lambda: _ask(job, context, connection))
        except psycopg.Error as fault:
            lost = job.options["write"] and connection.closed
            if lost and (context.directory / marks.XID).exists():
                raise ActionFailed(
                    f"The connection was lost while the statement ran: {postgres.line(fault)}.",
                    unknown=True,
                ) from fault
            raise postgres.failed("The statement failed", fault, "none") from fault
    _show(context, found, job.options["show"])
    return found


def outputs(job: Job, found: Answer) -> dict[str, str]:
    """Return the outputs: first value, number of rows, and the columns that were asked for."""
    first = dict(zip(found.columns, found.rows[0], strict=True)) if found.rows else {}
    wanted = {name: first.get(name, "") for name in job.options["outputs"]}
    value = found.rows[0][0] if found.rows and found.rows[0] else ""
    return {"value": value, "count": str(found.count), **wanted}


def _ask(job: Job, context: Context, connection: Connection[TupleRow]) -> Answer:
    options = job.options
    connection.execute("begin read write" if options["write"] else "begin read only")
    if options["write"]:
        row = connection.execute("select pg_current_xact_id()::text").fetchone()
        marks.write(context.directory, marks.XID, str(row[0]) if row else "")
    query, values = options["query"].encode(), options["values"] or None
    with closing(connection.execute(query, values)) as cursor:
        columns = tuple(column.name for column in cursor.description or ())
        rows = _texts(cursor.pgresult, len(columns))
        count, status = max(cursor.rowcount, 0), cursor.statusmessage or ""
    _insist_on(options["outputs"], columns)
    fault = _fault(job, rows)
    found = Answer(columns, rows, count, status, fault)
    if options["write"] and not fault:
        marks.write_outputs(context.directory, marks.ANSWER, outputs(job, found), job.secrets)
    connection.execute("rollback" if fault else "commit")
    if options["write"] and not fault:
        context.fault("sql.committed")
    return found


def _refuse_more_than_one(query: str) -> None:
    """A second statement could end the transaction that keeps the first from changing anything."""
    trouble = next(sql_statements.troubles(query), None)
    if trouble is not None:
        raise ActionFailed(f"The query is refused: {trouble.sentence}.", effect="none")
    if len(sql_statements.split(query)) != 1:
        raise ActionFailed("The query must be one statement.", effect="none")


def _texts(result: PGresult | None, columns: int) -> tuple[tuple[str, ...], ...]:
    """Return the values as the server wrote them; NULL for a NULL."""
    if result is None:
        return ()
    rows = [[result.get_value(row, at) for at in range(columns)] for row in range(result.ntuples)]
    return tuple(
        tuple("NULL" if value is None else value.decode(errors="replace") for value in row)
        for row in rows
    )


def _insist_on(wanted: Sequence[str], columns: Sequence[str]) -> None:
    unknown = [name for name in wanted if name not in columns]
    if unknown:
        raise ActionFailed(
            f"The answer has no column {unknown[0]}; it has {', '.join(columns) or 'none'}.",
            effect="none",
        )


def _fault(job: Job, rows: Sequence[Sequence[str]]) -> str | None:
    options = job.options
    if options["rows"] is not None and len(rows) != options["rows"]:
        return f"The answer has {len(rows)} rows, and {options['rows']} were expected."
    expected = options["expect"]
    if expected is None:
        return None
    if not rows:
        return f"The answer has no row, and {expected} was expected."
    if rows[0][0] != expected:
        return f"The answer is {rows[0][0][:CELL]}, and {expected} was expected."
    return None


def _show(context: Context, found: Answer, limit: int) -> None:
    if not found.columns:
        context.log(found.status)
        return
    shown = [found.columns, *found.rows[:limit]]
    cells = [[cell.replace("\n", "⏎")[:CELL] for cell in row] for row in shown]
    widths = [max(len(row[column]) for row in cells) for column in range(len(found.columns))]
    for row in cells:
        pairs = zip(row, widths, strict=True)
        context.log("  ".join(cell.ljust(width) for cell, width in pairs).rstrip())
    more = len(found.rows) - limit
    context.log(f"{found.count} rows" + (f", {more} of them not shown" if more > 0 else ""))


def _evidence(found: Answer) -> Evidence:
    value = found.rows[0][0][:CELL] if found.rows and found.rows[0] else found.status
    return Evidence(
        "answer", f"{value} ({found.count} rows)", {"value": value, "rows": found.count}
    )


def _judged(xid: str, status: object, at_it: tuple[str, ...], kept: Mapping[str, str]) -> Finding:
    if status == "committed":
        summary = f"Transaction {xid} is committed, the server says."
        evidence = (Evidence("transaction", summary, {"xid": xid}),)
        return Finding(Verdict.PRESENT, summary, evidence=evidence, outputs=kept)
    if status == "aborted":
        return Finding(Verdict.ABSENT, f"Transaction {xid} was rolled back, the server says.")
    if status == "in progress":
        return Finding(Verdict.RUNNING, f"Transaction {xid} is still open.", found=at_it)
    said = f"The server no longer knows transaction {xid}."
    return Finding(Verdict.UNKNOWN, said, unclear=("whether it was committed",))
