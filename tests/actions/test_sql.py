"""`sql`: one question, one answer, and nothing changed unless the step says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from runbook_tui.actions.api import ActionFailed
from runbook_tui.actions.shared import marks
from state.status import Verdict
from tests.harness.actions import Bench, act, context, look, refused
from tests.harness.here import FaultReached
from tests.harness.postgres import Server


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(scope="module")
def table(postgres: Server) -> Iterator[str]:
    """A database with a table of 60 rows, which every test leaves as they are."""
    url = postgres.create()
    with psycopg.connect(url) as connection:
        connection.execute("create table t (a int, b text)")
        connection.execute("insert into t select n, 'row ' || n from generate_series(1, 60) n")
    yield url
    postgres.drop(url)


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("select count(*) from t", "60"),
        ("select 1.50", "1.50"),
        ("select true", "t"),
        ("select null", "NULL"),
        ("select '2026-01-02 03:04:05+00'::timestamptz at time zone 'utc'", "2026-01-02 03:04:05"),
        ("select '{\"a\": 1}'::jsonb", '{"a": 1}'),
        ("select '{1,2}'::int[]", "{1,2}"),
        ("select b from t where a = 7", "row 7"),
    ],
)
def test_an_answer_is_compared_as_the_server_writes_it(
    bench: Bench, table: str, query: str, value: str
) -> None:
    outcome = act(bench.job("sql", {"query": query, "database": table, "expect": value}))
    assert outcome.outputs == {"value": value, "count": "1"}


def test_values_travel_apart_from_the_statement(bench: Bench, table: str) -> None:
    hostile = "'; drop table t; --"
    options = {
        "query": "select %(word)s::text as word",
        "database": table,
        "values": {"word": hostile},
        "outputs": ["word"],
    }
    assert act(bench.job("sql", options)).outputs["word"] == hostile


def test_rows_are_shown_up_to_a_number(bench: Bench, table: str) -> None:
    options = {"query": "select a, b from t order by a", "database": table, "show": 2, "rows": 60}
    recorder = context(job := bench.job("sql", options))
    act(job, recorder)
    assert recorder.text().splitlines()[1:] == [
        "a  b",
        "1  row 1",
        "2  row 2",
        "60 rows, 58 of them not shown",
    ]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"query": "select 2", "expect": 3}, "The answer is 2, and 3 was expected."),
        ({"query": "select 2 where false", "expect": 3}, "The answer has no row, and 3 was"),
        ({"query": "select 2", "rows": 0}, "The answer has 1 rows, and 0 were expected."),
        ({"query": "select 2 as x", "outputs": ["y"]}, "The answer has no column y; it has x."),
        ({"query": "select nope"}, 'The statement failed: column "nope" does not exist.'),
        ({"query": "delete from t"}, "The statement failed: cannot execute DELETE in a read-only"),
        ({"query": "commit; delete from t"}, "The query is refused: COMMIT controls"),
        ({"query": "select 1; delete from t"}, "The query must be one statement."),
        (
            {"query": "select pg_sleep(600)", "statement_timeout": "100ms"},
            "The statement failed: canceling statement due to statement timeout.",
        ),
    ],
)
def test_failures_change_nothing(
    bench: Bench, table: str, options: dict[str, object], sentence: str
) -> None:
    failure = refused(bench.job("sql", options | {"database": table}))
    assert failure.sentence.startswith(sentence)
    assert failure.effect == "none"
    count = bench.job("sql", {"query": "select count(*) from t", "database": table, "expect": 60})
    act(count)


def test_a_write_is_proven_by_its_transaction(bench: Bench, table: str) -> None:
    with psycopg.connect(table) as connection:
        connection.execute("create table other (a int)")
    query = "insert into other values (1) returning a"
    options = {"query": query, "database": table, "write": True, "outputs": ["a"]}
    job = bench.job("sql", options)
    assert look(job).verdict is Verdict.ABSENT
    assert look(bench.job("sql", options | {"write": False})).verdict is Verdict.ABSENT
    recorder = context(job)
    recorder.cut = "sql.committed"
    with pytest.raises(FaultReached):
        act(job, recorder)
    found = look(bench.job("sql", options, number=2))
    assert found.verdict is Verdict.PRESENT
    assert found.evidence[0].summary.endswith("is committed, the server says.")
    assert found.outputs == {"a": "1", "value": "1", "count": "1"}


def test_a_write_whose_answer_holds_a_secret_leaves_none_of_it(bench: Bench, table: str) -> None:
    query = "update t set a = a where a = 1 returning 'sw0rdfish'"
    options = {"query": query, "database": table, "write": True}
    job = bench.job("sql", options, secrets=["sw0rdfish"])
    act(job)
    found = look(bench.job("sql", options, number=2))
    assert (found.verdict, found.outputs) == (Verdict.PRESENT, {})
    kept = [file.read_bytes() for file in Path(job.directory).iterdir() if file.is_file()]
    assert kept
    assert not any(b"sw0rdfish" in data for data in kept)


def test_a_write_that_the_server_is_still_at_is_seen(bench: Bench, table: str) -> None:
    options = {"query": "update t set a = a", "database": table, "write": True}
    job = bench.job("sql", options)
    with psycopg.connect(table) as other:
        row = other.execute("select pg_current_xact_id()::text").fetchone()
        assert row
        marks.write(Path(job.directory), marks.XID, row[0])
        found = look(bench.job("sql", options, number=2))
        assert found.verdict is Verdict.RUNNING
        pid = other.info.backend_pid
        assert found.found[0].startswith(f"backend {pid} (idle in transaction) since ")
        assert found.found[0].endswith(": select pg_current_xact_id()::text")
        other.rollback()
    assert look(bench.job("sql", options, number=2)).verdict is Verdict.ABSENT


def test_a_transaction_that_the_server_never_had_is_unknown(bench: Bench, table: str) -> None:
    options = {"query": "update t set a = a", "database": table, "write": True}
    # As after a restore into another server.
    marks.write(Path(bench.job("sql", options).directory), marks.XID, "99999999")
    found = look(bench.job("sql", options, number=2))
    assert found.verdict is Verdict.UNKNOWN
    assert "transaction 99999999" in found.summary


def test_a_write_with_another_answer_is_taken_back(bench: Bench, table: str) -> None:
    query = "delete from t returning 'gone'"
    options = {"query": query, "database": table, "write": True, "rows": 1}
    failure = refused(bench.job("sql", options))
    assert failure.sentence == "The answer has 60 rows, and 1 were expected."
    assert look(bench.job("sql", options, number=2)).verdict is Verdict.ABSENT


def test_a_write_whose_end_was_lost_is_unknown(bench: Bench, table: str) -> None:
    query = "delete from t where pg_terminate_backend(pg_backend_pid())"
    failure = refused(bench.job("sql", {"query": query, "database": table, "write": True}))
    assert isinstance(failure, ActionFailed)
    assert failure.unknown
    options = {"query": query, "database": table, "write": True}
    assert look(bench.job("sql", options, number=2)).verdict is Verdict.ABSENT
