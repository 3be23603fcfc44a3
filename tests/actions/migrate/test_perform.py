"""Migrations on a real PostgreSQL: each file once, and the truth after every way of breaking."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runbook_tui.actions.api import Stopped
from runbook_tui.actions.migrate import locks
from state.status import Verdict
from tests.harness.actions import Bench, act, context, look, refused
from tests.harness.here import until
from tests.harness.postgres import Server

INDEX = "-- runbook: no-transaction\ncreate index concurrently if not exists i on t (a);\n"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "migrations").mkdir()
    return Bench(tmp_path)


def write(bench: Bench, **files: str) -> None:
    """Write migrations: `_0001_t="create …"`."""
    for name, text in files.items():
        (bench.cwd / "migrations" / f"{name.lstrip('_')}.sql").write_text(text)


def ask(database: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


@contextmanager
def holding(database: str, statement: str) -> Iterator[tuple[int, object]]:
    """Hold a lock in an open transaction; gives the backend's pid and the statement's answer."""
    with psycopg.connect(database) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        yield connection.info.backend_pid, row[0] if row else None
        connection.rollback()


def test_applies_what_is_missing_and_nothing_twice(bench: Bench, database: str) -> None:
    write(
        bench, _0001_t="create table t (a int)", _0003_i=INDEX, _0002_v="insert into t values (1)"
    )
    job = bench.job("migrate", {"database": database})
    assert look(job).verdict is Verdict.ABSENT
    recorder = context(job)
    outcome = act(job, recorder)
    assert outcome.outputs == {
        "applied": "0001_t.sql, 0002_v.sql, 0003_i.sql",
        "count": "3",
        "version": "3",
    }
    assert (
        outcome.evidence[0].summary == "3 of 3 files applied by this run: 0001_t.sql … 0003_i.sql"
    )
    assert recorder.reached == ["migrate.committed"] * 3
    rows = ask(
        database, "select version, run, step, pg_xact_status(xid::xid8), checksum from schema_log"
    )
    assert [row[:4] for row in rows] == [
        (number, bench.run, "step", "committed") for number in (1, 2, 3)
    ]
    found = look(bench.job("migrate", {"database": database}, number=2))
    assert (found.verdict, found.outputs) == (Verdict.PRESENT, outcome.outputs)

    other = Bench(bench.cwd, run="1123-late")
    again = act(other.job("migrate", {"database": database}))
    assert again.outputs == {"applied": "", "count": "0", "version": "3"}
    assert again.evidence[0].summary == "nothing to apply: all 3 files are in schema_log"
    assert ask(database, "select count(*) from t") == [(1,)]


def test_a_file_that_fails_leaves_the_files_before_it(bench: Bench, database: str) -> None:
    write(bench, _1_t="create table t (a int)", _2_bad="insert into t values (1);\n\nselect nope")
    failure = refused(bench.job("migrate", {"database": database}))
    assert failure.sentence == '2_bad.sql failed at line 3: column "nope" does not exist.'
    assert failure.effect == "partial"
    found = look(bench.job("migrate", {"database": database}, number=2))
    assert found.verdict is Verdict.PARTIAL
    assert found.found == ("1_t.sql is applied",)
    assert found.missing == ("2_bad.sql is not applied",)
    write(bench, _2_bad="insert into t values (2)")
    assert act(bench.job("migrate", {"database": database}, number=2)).outputs["count"] == "2"
    assert ask(database, "select a from t") == [(2,)]


@pytest.mark.parametrize(
    "sql", ["create table t (a int);\ncommit;\nselect nope", "copy t from stdin"]
)
def test_what_would_break_atomicity_is_refused_before_connecting(bench: Bench, sql: str) -> None:
    write(bench, _1_t=sql)
    failure = refused(bench.job("migrate", {"database": "host=nowhere.invalid"}))
    assert failure.sentence.startswith("1_t.sql, line ")
    assert failure.effect == "none"


def test_a_deferred_constraint_fails_the_commit(bench: Bench, database: str) -> None:
    table = "create table t (a int unique deferrable initially deferred)"
    write(bench, _1_t=table, _2_twice="insert into t values (1), (1)")
    failure = refused(bench.job("migrate", {"database": database}))
    assert failure.sentence.startswith("2_twice.sql failed: duplicate key value")
    assert ask(database, "select version from schema_log") == [(1,)]


def test_a_changed_file_is_refused(bench: Bench, database: str) -> None:
    write(bench, _1_t="create table t (a int)")
    act(bench.job("migrate", {"database": database}))
    write(bench, _1_t="create table t (a text)")
    job = bench.job("migrate", {"database": database}, number=2)
    failure = refused(job)
    assert failure.sentence.startswith("1_t.sql has changed since run 1123-k7f3 applied it")
    assert failure.effect == "none"
    assert look(job).verdict is Verdict.UNKNOWN


def test_files_out_of_order_and_holes(bench: Bench, database: str) -> None:
    write(bench, _1_a="select 1", _4_d="select 1")
    recorder = context(job := bench.job("migrate", {"database": database}))
    act(job, recorder)
    assert "note: no file between 1_a.sql and 4_d.sql" in recorder.text()
    write(bench, _2_b="select 1")
    failure = refused(bench.job("migrate", {"database": database}))
    assert failure.sentence.startswith("2_b.sql comes before 4_d.sql, which is applied already.")
    outcome = act(bench.job("migrate", {"database": database, "out_of_order": True}))
    assert outcome.outputs["version"] == "4"


def test_up_to_a_number_in_a_ledger_of_another_name(bench: Bench, database: str) -> None:
    ask(database, "create schema ops")
    write(bench, _1_a="select 1", _2_b="select 1")
    options = {"database": database, "to": 1, "table": "ops.applied"}
    assert act(bench.job("migrate", options)).outputs["version"] == "1"
    assert ask(database, "select name from ops.applied") == [("1_a.sql",)]
    assert look(bench.job("migrate", options)).verdict is Verdict.PRESENT
    assert refused(bench.job("migrate", options | {"to": "7"})).effect == "none"


def test_a_lock_is_waited_for_and_its_holder_named(bench: Bench, database: str) -> None:
    write(bench, _1_t="create table t (a int)", _2_c="alter table t add b int")
    act(bench.job("migrate", {"database": database, "to": 1}))
    job = bench.job("migrate", {"database": database, "lock_timeout": "5m"}, number=2)
    recorder = context(job)
    with ThreadPoolExecutor(1) as pool:
        with holding(database, "lock table t") as (pid, _):
            going = pool.submit(act, job, recorder)
            until(lambda: f"held by pid {pid}" in recorder.text())
        assert going.result().outputs["version"] == "2"
    told = (
        f"2_c.sql waits for a lock\n  held by pid {pid} (postgres, no name, idle in transaction): "
        "lock table t\n"
    )
    assert told in recorder.text()
    assert f"2_c.sql waits for a lock that pid {pid} holds." in recorder.lines


def test_a_lock_is_not_waited_for_too_long(bench: Bench, database: str) -> None:
    write(bench, _1_t="create table t (a int)", _2_c="alter table t add b int")
    act(bench.job("migrate", {"database": database, "to": 1}))
    job = bench.job("migrate", {"database": database, "lock_timeout": "200ms"}, number=2)
    with holding(database, "lock table t"):
        failure = refused(job)
    assert failure.sentence == "2_c.sql failed: canceling statement due to lock timeout."
    assert (failure.cause, failure.effect) == ("lock_timeout", "none")
    assert act(job).outputs["version"] == "2"


def test_two_migrations_do_not_run_at_once(bench: Bench, database: str) -> None:
    write(bench, _1_t="create table t (a int)")
    job = bench.job("migrate", {"database": database, "lock_timeout": "300ms"})
    recorder = context(job)
    take = f"select pg_advisory_lock({locks.key('schema_log')})"
    with holding(database, take) as (pid, _):
        failure = refused(job, recorder)
    assert failure.sentence.endswith(f"that pid {pid} holds.")
    assert (failure.cause, failure.effect) == ("lock_timeout", "none")
    assert f"held by pid {pid} " in recorder.text()
    assert act(job).outputs["count"] == "1"


def test_no_database(bench: Bench) -> None:
    write(bench, _1_t="select 1")
    job = bench.job("migrate", {"database": "host=127.0.0.1 port=1 dbname=x"})
    failure = refused(job)
    assert (failure.cause, failure.effect) == ("connection", "none")
    assert failure.sentence.startswith("The database cannot be reached: connection")
    assert look(job).verdict is Verdict.UNKNOWN


def test_a_stop_cancels_the_statement_at_the_server(bench: Bench, database: str) -> None:
    write(bench, _1_t="create table t (a int)", _2_s="select pg_sleep(600)")
    job = bench.job("migrate", {"database": database})
    recorder = context(job)
    busy = "select count(*) from pg_stat_activity where query = 'select pg_sleep(600)'"

    def stop() -> None:
        until(lambda: ask(database, busy) == [(1,)])
        recorder.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Stopped):
        act(job, recorder)
    stopper.join()
    until(lambda: ask(database, f"{busy} and state = 'active'") == [(0,)])
    assert look(bench.job("migrate", {"database": database}, number=2)).verdict is Verdict.PARTIAL


def test_a_backend_still_at_work_is_seen(bench: Bench, database: str) -> None:
    write(bench, _1_t="create table t (a int)")
    job = bench.job("migrate", {"database": database})
    name = f"runbook {bench.run} step"
    with psycopg.connect(database, application_name=name) as connection:
        connection.execute("select 1")
        found = look(job)
        assert found.verdict is Verdict.RUNNING
        pid = connection.info.backend_pid
        assert found.found[0].startswith(f"backend {pid} (idle in transaction) since ")
        assert found.found[0].endswith(": select 1")
    assert look(job).verdict is Verdict.ABSENT


def test_a_transaction_still_open_is_seen(bench: Bench, database: str) -> None:
    write(bench, _1_t="create table t (a int)")
    first = bench.job("migrate", {"database": database})
    with holding(database, "select pg_current_xact_id()::text") as (_, xid):
        (Path(first.directory) / "xid").write_text(str(xid))
        found = look(bench.job("migrate", {"database": database}, number=2))
        assert found.verdict is Verdict.RUNNING
        assert found.found[0] == f"transaction {xid} of this step is still open"
        assert found.found[1].endswith(": select pg_current_xact_id()::text")
    assert look(bench.job("migrate", {"database": database}, number=2)).verdict is Verdict.ABSENT


def test_an_invalid_index_left_behind_is_rebuilt(bench: Bench, database: str) -> None:
    write(bench, _1_t="create table t (a int); insert into t values (1)", _2_i=INDEX)
    act(bench.job("migrate", {"database": database, "to": 1}))
    # What a killed CREATE INDEX CONCURRENTLY leaves.
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create index i on t (a)")
        connection.execute(
            "update pg_index set indisvalid = false where indexrelid = 'i'::regclass"
        )
    found = look(bench.job("migrate", {"database": database}, number=2))
    assert found.verdict is Verdict.PARTIAL
    assert found.missing == ("2_i.sql is not applied; its index i is invalid",)
    recorder = context(job := bench.job("migrate", {"database": database}, number=2))
    act(job, recorder)
    assert "index i is invalid, left by a try that broke: dropped" in recorder.text()
    assert ask(database, "select indisvalid from pg_index where indexrelid = 'i'::regclass") == [
        (True,)
    ]


def test_an_index_that_was_built_before_its_row_could_be_written(
    bench: Bench, database: str
) -> None:
    write(bench, _1_t="create table t (a int)", _2_i=INDEX.replace("if not exists ", ""))
    act(bench.job("migrate", {"database": database}))
    ask(database, "update schema_log set applied_at = null where version = 2 returning 1")
    job = bench.job("migrate", {"database": database}, number=2)
    found = look(job)
    assert found.missing == ("2_i.sql is not applied; its index i is valid",)
    recorder = context(job)
    assert act(job, recorder).outputs["count"] == "2"
    assert "index i is there and valid, built by an earlier try" in recorder.text()


def test_an_index_of_somebody_else_is_not_taken_for_ours(bench: Bench, database: str) -> None:
    write(bench, _1_t="create table t (a int)", _2_i=INDEX.replace("if not exists ", ""))
    act(bench.job("migrate", {"database": database, "to": 1}))
    ask(database, "create index i on t (a)")
    failure = refused(bench.job("migrate", {"database": database}))
    assert failure.sentence == '2_i.sql failed: relation "i" already exists.'


def test_the_answer_to_commit_is_lost_and_the_server_is_asked(
    bench: Bench, database: str, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(bench, _1_t="create table t (a int)", _2_u="insert into t values (1)")
    job = bench.job("migrate", {"database": database})
    recorder = context(job)
    cut = LostAnswers(monkeypatch)
    outcome = act(job, recorder)
    assert cut.count == 1
    assert "the server says" in recorder.text()
    assert outcome.outputs["count"] == "2"
    assert ask(database, "select a from t") == [(1,)]


class LostAnswers:
    """The first COMMIT reaches the server; its connection is gone before the answer is read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        real = psycopg.Connection.execute

        def execute(connection: psycopg.Connection[Any], query: Any, *rest: Any) -> object:
            found = real(connection, query, *rest)
            if query == "commit" and self.count == 0:
                self.count += 1
                connection.close()
                raise psycopg.OperationalError("server closed the connection unexpectedly")
            return found

        monkeypatch.setattr(psycopg.Connection, "execute", execute)


def test_a_backend_that_is_ended_in_mid_file(bench: Bench, database: str) -> None:
    end = "select pg_terminate_backend(pg_backend_pid())"
    write(bench, _1_t="create table t (a int)", _2_x=f"insert into t values (1); {end}")
    failure = refused(bench.job("migrate", {"database": database}))
    assert (failure.cause, failure.effect) == ("connection", "partial")
    assert ask(database, "select count(*) from t") == [(0,)]


def test_another_tool(bench: Bench, database: str) -> None:
    command = 'test "$DATABASE_URL" = "$RUNBOOK_V_1" && echo migrated'
    job = bench.job(
        "migrate", {"database": database, "command": command}, variables={"RUNBOOK_V_1": database}
    )
    recorder = context(job)
    assert act(job, recorder).exit_code == 0
    assert recorder.text() == "migrated\n"
    assert look(job).verdict is Verdict.UNKNOWN


def test_messages_of_the_server_are_logged(bench: Bench, database: str) -> None:
    write(bench, _1_n="do $$ begin raise notice 'row %', 7; end $$")
    recorder = context(job := bench.job("migrate", {"database": database}))
    act(job, recorder)
    assert "1_n.sql: NOTICE: row 7\n" in recorder.text()
