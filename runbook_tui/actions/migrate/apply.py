"""Applies one file: in a transaction with its row, or bare with a row before and after."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from runbook_tui.actions.api import ActionFailed, Context, Effect, Job
from runbook_tui.actions.migrate import indexes
from runbook_tui.actions.migrate.files import Migration
from runbook_tui.actions.migrate.indexes import Index
from runbook_tui.actions.migrate.ledger import Ledger
from runbook_tui.actions.migrate.locks import LockWatch
from runbook_tui.actions.shared import durations, marks, postgres, sql_statements

SETTLING: Final = 60.0
"""Seconds to go on asking what became of a COMMIT whose answer was lost."""


class CommitLost(Exception):  # noqa: N818 - it reads as what happened
    """The answer to COMMIT was lost, and the server says that the file is committed.

    `done` counts the files that this attempt has applied by now.
    """

    def __init__(self, done: int) -> None:
        super().__init__()
        self.done = done


@dataclass(slots=True)
class Applier:
    """Applies files over one connection. `done` counts those of this attempt."""

    job: Job
    context: Context
    connection: Connection[TupleRow]
    ledger: Ledger
    done: int = 0

    def apply(self, migration: Migration) -> None:
        """Apply one file; ActionFailed says what is true of the database when it cannot be."""
        began = time.monotonic()
        self.context.progress(f"{migration.name} runs.")
        if migration.transaction:
            self._in_transaction(migration)
        else:
            self._bare(migration)
        self.done += 1
        took = durations.shown(time.monotonic() - began)
        self.context.log(f"{migration.name}  sha256:{migration.checksum[:12]}  applied  {took}")

    @property
    def effect(self) -> Effect:
        """What is true when the file at hand left nothing behind."""
        return "partial" if self.done else "none"

    def _in_transaction(self, migration: Migration) -> None:
        xid = ""

        def work() -> None:
            nonlocal xid
            self.connection.execute("begin")
            xid = str(_one(self.connection, "select pg_current_xact_id()::text"))
            marks.write(self.context.directory, marks.XID, xid)
            self.connection.execute(migration.sql.encode())
            self._still_open(migration)
            self.ledger.add(migration, self.job, applied=True)

        try:
            self._attended(migration, work)
        except psycopg.Error as fault:
            self._roll_back()
            raise postgres.failed(_at(migration, fault), fault, self.effect) from fault
        self._commit(migration, xid)

    def _commit(self, migration: Migration, xid: str) -> None:
        try:
            message = self.connection.execute("commit").statusmessage
        except psycopg.OperationalError as fault:
            if not self.connection.closed:
                raise postgres.failed(f"{migration.name} failed", fault, self.effect) from fault
            self.context.log(f"{migration.name}: the answer to COMMIT was lost", "stderr")
            _settle(self.job, self.context, migration, xid, self.effect)
            raise CommitLost(self.done + 1) from fault
        except psycopg.Error as fault:
            raise postgres.failed(f"{migration.name} failed", fault, self.effect) from fault
        if message != "COMMIT":
            raise ActionFailed(
                f"{migration.name} was rolled back at its end ({message}).", effect=self.effect
            )
        self.context.fault("migrate.committed")

    def _still_open(self, migration: Migration) -> None:
        if self.connection.info.transaction_status is not TransactionStatus.INTRANS:
            raise ActionFailed(
                f"{migration.name} has ended its own transaction, so it may be applied in part.",
                effect="partial",
            )

    def _bare(self, migration: Migration) -> None:
        statement = sql_statements.split(migration.sql)[0].text
        index = indexes.built_by(statement)
        if index is not None and self._index_is_there(migration, index):
            self.ledger.finish(migration)
            return
        try:
            self.ledger.claim(migration, self.job)
            self._attended(migration, lambda: self.connection.execute(statement.encode()))
            self.ledger.finish(migration)
        except psycopg.Error as fault:
            if self.connection.closed:
                raise ActionFailed(
                    f"The connection was lost while {migration.name} ran outside of a "
                    f"transaction: {postgres.line(fault)}.",
                    unknown=True,
                ) from fault
            raise postgres.failed(_at(migration, fault), fault, "partial") from fault
        if index is not None and indexes.state(self.connection, index) != "valid":
            raise ActionFailed(
                f"{migration.name} ended, and its index {index.name} is not valid.",
                effect="partial",
            )
        self.context.fault("migrate.committed")

    def _index_is_there(self, migration: Migration, index: Index) -> bool:
        """Tell whether our own earlier try built the index; drops one that is invalid."""
        found = indexes.state(self.connection, index)
        deadline = time.monotonic() + durations.seconds(self.job.options["lock_timeout"])
        while found == "building":
            self.context.progress(f"Waits: another session builds the index {index.name}.")
            if time.monotonic() >= deadline:
                raise ActionFailed(
                    f"Another session is still building the index {index.name}.",
                    effect=self.effect,
                    cause="lock_timeout",
                )
            self.context.wait(postgres.POLL)
            found = indexes.state(self.connection, index)
        if found == "invalid":
            self.context.log(f"index {index.name} is invalid, left by a try that broke: dropped")
            self._attended(migration, lambda: indexes.drop(self.connection, index))
            return False
        row = self.ledger.rows().get(migration.version)
        ours = row is not None and row.checksum == migration.checksum
        if found == "valid" and ours:
            self.context.log(f"index {index.name} is there and valid, built by an earlier try")
            return True
        return False

    def _attended(self, migration: Migration, work: Callable[[], object]) -> None:
        notices: list[str] = []
        pid = self.connection.info.backend_pid
        side = LockWatch(
            lambda: postgres.connect(self.job, role="looks"), self.context, pid, migration.name
        )

        def notice(diagnosis: psycopg.errors.Diagnostic) -> None:
            notices.append(f"{migration.name}: {diagnosis.severity}: {diagnosis.message_primary}")

        def meanwhile() -> None:
            while notices:
                self.context.log(notices.pop(0))
            side()

        self.connection.add_notice_handler(notice)
        try:
            postgres.attended(self.connection, self.context, work, meanwhile)
        finally:
            side.close()
            self.connection.remove_notice_handler(notice)
            for text in notices:
                self.context.log(text)

    def _roll_back(self) -> None:
        with suppress(psycopg.Error):  # a lost connection is rolled back by the server
            self.connection.execute("rollback")


def _settle(job: Job, context: Context, migration: Migration, xid: str, effect: Effect) -> None:
    """Return when the transaction is committed; ActionFailed when it is not, or nobody can tell."""
    deadline = time.monotonic() + SETTLING
    status: object = None
    while time.monotonic() < deadline:
        with suppress(ActionFailed, psycopg.Error), closing(postgres.connect(job)) as connection:
            status = _one(connection, "select pg_xact_status(%s::xid8)", xid)
        if status == "committed":
            context.log(f"{migration.name}: transaction {xid} is committed, the server says")
            return
        if status == "aborted":
            raise ActionFailed(
                f"The connection was lost at the end of {migration.name}, and the server has "
                "rolled it back.",
                effect=effect,
                cause="connection",
            )
        context.progress(f"Asks the server what became of {migration.name}.")
        context.wait(1)
    raise ActionFailed(
        f"The connection was lost while {migration.name} was committed, and the server could not "
        f"say what became of transaction {xid} ({status or 'no answer'}).",
        unknown=True,
    )


def _at(migration: Migration, fault: psycopg.Error) -> str:
    """Return the file, and the line when the server says where."""
    position = fault.diag.statement_position
    if position is None or not migration.transaction:
        return f"{migration.name} failed"
    number = migration.sql.count("\n", 0, int(position) - 1) + 1
    return f"{migration.name} failed at line {number}"


def _one(connection: Connection[TupleRow], query: str, *values: object) -> object:
    row = connection.execute(query.encode(), values or None).fetchone()
    return row[0] if row else None
