"""Applies numbered SQL files, each exactly once, and tells afterwards which are in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg

from runbook_tui.actions.api import ActionFailed, Context, Evidence, Finding, Job, Outcome
from runbook_tui.actions.migrate import files, indexes, locks, pending
from runbook_tui.actions.migrate.apply import Applier, CommitLost
from runbook_tui.actions.migrate.files import FileError, Migration
from runbook_tui.actions.migrate.ledger import Ledger, Row
from runbook_tui.actions.migrate.pending import Todo
from runbook_tui.actions.run import perform as run
from runbook_tui.actions.shared import backends, durations, marks, postgres, sql_statements
from state.json_value import Json
from state.status import Verdict


def perform(job: Job, context: Context) -> Outcome:
    """Apply what is missing; every fault says which files are in the database by now."""
    if job.options.get("command"):
        return _external(job, context)
    try:
        migrations = files.read(directory(job))
    except FileError as fault:
        raise ActionFailed(str(fault), effect="none") from fault
    done = 0
    while True:
        try:
            return _apply_all(job, context, migrations, done)
        except CommitLost as lost:
            # The server says that it is committed: go on after it, over a new connection.
            done = lost.done


def _apply_all(job: Job, context: Context, migrations: Sequence[Migration], done: int) -> Outcome:
    options = job.options
    table = options["table"]
    with closing(postgres.connect(job)) as connection:
        context.log(f"connected to {postgres.where(connection)}")
        patience = durations.seconds(options["lock_timeout"])
        ledger = Ledger(connection, table)
        try:
            locks.take(connection, table, context, patience)
            ledger.create()
            rows = ledger.rows()
            todo = pending.compare(migrations, rows, options.get("to"), options["out_of_order"])
        except FileError as fault:
            raise ActionFailed(str(fault), effect="partial" if done else "none") from fault
        except psycopg.Error as fault:
            raise postgres.failed(f"The ledger {table} cannot be used", fault, "none") from fault
        _announce(context, table, rows, todo)
        applier = Applier(job, context, connection, ledger, done)
        for migration in todo.pending:
            context.check_stop()
            applier.apply(migration)
        return _outcome(ledger.rows(), job, migrations)


def probe(job: Job, context: Context) -> Finding:
    """Compare files and ledger; running while a backend of this step is still at it."""
    if job.options.get("command"):
        return Finding(Verdict.UNKNOWN, "Another tool migrates; its proof is the step's verify.")
    try:
        migrations = files.read(directory(job))
        with closing(postgres.connect(job, role="looks")) as connection:
            if running := _running(connection, job):
                summary = "The database is still at work for this step."
                return Finding(Verdict.RUNNING, summary, found=running)
            rows = Ledger(connection, job.options["table"]).rows()
            todo = pending.compare(
                migrations, rows, job.options.get("to"), job.options["out_of_order"]
            )
            broken = _broken_indexes(connection, todo)
    except FileError as fault:
        return Finding(Verdict.UNKNOWN, str(fault))
    except ActionFailed as fault:
        return Finding(Verdict.UNKNOWN, fault.sentence)
    except psycopg.Error as fault:
        return Finding(Verdict.UNKNOWN, f"The ledger cannot be read: {postgres.line(fault)}.")
    return _finding(rows, job, migrations, todo, broken)


def directory(job: Job) -> Path:
    """Return the directory of the files."""
    return Path(job.cwd) / (job.options.get("directory") or "migrations")


def _external(job: Job, context: Context) -> Outcome:
    env = {"DATABASE_URL": job.options["database"]} if job.options.get("database") else {}
    options = {"script": job.options["command"], "env": env}
    return run.perform(replace(job, options=options), context)


def _announce(context: Context, table: str, rows: Mapping[int, Row], todo: Todo) -> None:
    done = [row for row in rows.values() if row.applied_at is not None]
    span = f"{done[0].name} … {done[-1].name}" if done else "nothing"
    count = len(todo.pending)
    context.log(f"{table} holds {span}; {count} file{'' if count == 1 else 's'} to apply")
    for note in todo.notes:
        context.log(f"note: {note}")


def _outcome(rows: Mapping[int, Row], job: Job, migrations: Sequence[Migration]) -> Outcome:
    return Outcome(outputs=_outputs(rows, job), evidence=_evidence(rows, job, migrations))


def _ours(rows: Mapping[int, Row], job: Job) -> list[Row]:
    """Return the rows that this step of this run brought in, in any of its attempts."""
    return [
        row
        for row in rows.values()
        if row.applied_at is not None and (row.run, row.step) == (job.run, job.step)
    ]


def _outputs(rows: Mapping[int, Row], job: Job) -> dict[str, str]:
    ours = _ours(rows, job)
    done = [row for row in rows.values() if row.applied_at is not None]
    return {
        "applied": ", ".join(row.name for row in ours),
        "count": str(len(ours)),
        "version": str(done[-1].version) if done else "0",
    }


def _evidence(
    rows: Mapping[int, Row], job: Job, migrations: Sequence[Migration]
) -> tuple[Evidence, ...]:
    ours = _ours(rows, job)
    table = job.options["table"]
    if ours:
        span = ours[0].name if len(ours) == 1 else f"{ours[0].name} … {ours[-1].name}"
        summary = f"{len(ours)} of {len(migrations)} files applied by this run: {span}"
    else:
        summary = f"nothing to apply: all {len(migrations)} files are in {table}"
    kept = {row.version: row for row in rows.values() if row.applied_at is not None}
    data: list[Json] = [
        {
            "version": row.version,
            "name": row.name,
            "sha256": row.checksum,
            "run": row.run,
            "step": row.step,
            "xid": row.xid,
            "applied_at": str(row.applied_at),
        }
        for row in kept.values()
    ]
    return (Evidence("migrations", summary, {"table": table, "rows": data}),)


def _running(connection: psycopg.Connection[tuple[object, ...]], job: Job) -> tuple[str, ...]:
    """Return who is still at it: a backend of ours, or whoever has our transaction open."""
    if busy := backends.named(connection, postgres.application(job)):
        return busy
    xid = marks.last(job.previous, marks.XID)
    if xid is not None:
        status = connection.execute("select pg_xact_status(%s::xid8)", (xid,)).fetchone()
        if status and status[0] == "in progress":
            open_ = f"transaction {xid} of this step is still open"
            return (open_, *backends.of_transaction(connection, xid))
    return ()


def _broken_indexes(
    connection: psycopg.Connection[tuple[object, ...]], todo: Todo
) -> dict[int, str]:
    found = {}
    for migration in todo.pending:
        index = None
        if not migration.transaction:
            index = indexes.built_by(sql_statements.split(migration.sql)[0].text)
        if index is not None and (state := indexes.state(connection, index)) != "missing":
            found[migration.version] = f"its index {index.name} is {state}"
    return found


def _finding(
    rows: Mapping[int, Row],
    job: Job,
    migrations: Sequence[Migration],
    todo: Todo,
    broken: Mapping[int, str],
) -> Finding:
    found = tuple(f"{each.name} is applied" for each in todo.applied)
    missing = tuple(
        f"{each.name} is not applied"
        + (f"; {broken[each.version]}" if each.version in broken else "")
        for each in todo.pending
    )
    if not todo.pending:
        return Finding(
            Verdict.PRESENT,
            f"All {len(todo.applied)} files are in {job.options['table']}.",
            evidence=_evidence(rows, job, migrations),
            found=found,
            outputs=_outputs(rows, job),
        )
    started = [each for each in todo.pending if each.version in rows or each.version in broken]
    verdict = Verdict.PARTIAL if _ours(rows, job) or started else Verdict.ABSENT
    summary = f"{len(todo.pending)} of {len(todo.pending) + len(todo.applied)} files are missing."
    left = tuple(each.name for each in todo.pending)
    return Finding(verdict, summary, found=found, missing=missing, left=left)
