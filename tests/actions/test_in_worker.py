"""Actions in the process that performs them in a run: what they leave on disk, and after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from signal import SIGKILL

import psycopg
import pytest

from runbook_tui import proc
from runbook_tui.engine.workers import Workers
from state.stores.signals import read_samples
from tests.harness.actions import begin, perform
from tests.harness.attempts import Attempts, everything
from tests.harness.http import Web, as_json, serving
from tests.harness.postgres import Server
from tests.harness.processes import until

PASSWORD = "sw0rdfish-of-the-database"


@pytest.fixture(scope="module")
def pool() -> Iterator[Workers]:
    with closing(Workers()) as workers:
        yield workers


@pytest.fixture
def attempts(pool: Workers, tmp_path: Path) -> Iterator[Attempts]:
    base = tmp_path / "attempts"
    base.mkdir()
    started = Attempts(pool, base)
    yield started
    started.end()


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as server:
        server.reply = lambda asked: as_json({"status": "ok"})
        yield server


def with_password(url: str) -> str:
    return url.replace("postgres@", f"postgres:{PASSWORD}@")


def test_every_kind_works_and_no_secret_stays(
    attempts: Attempts, web: Web, postgres: Server
) -> None:
    database = with_password(postgres.url())
    values = {"RUNBOOK_V_1": PASSWORD}
    steps: dict[str, dict[str, object]] = {
        "run": {"script": "echo ${RUNBOOK_V_1}"},
        "sql": {"query": "select 1", "database": database, "expect": 1},
        "smoke": {"url": web.url, "expect": {"json": {"status": "ok"}}},
        "monitor": {"for": "0s", "http": [{"url": web.url}], "limits": {"error_rate": 0}},
        "check": {"sql": "select 1", "database": database, "expect": 1},
        "backup": {"database": database, "to": str(attempts.base / "kept")},
        "env": {"values": {"KEY": PASSWORD}, "rules": {"KEY": None}},
        "announce": {"text": f"look: {PASSWORD}", "webhook": web.url},
    }
    for kind, options in steps.items():
        found, log = perform(attempts, kind, options, secrets=(PASSWORD,), variables=values)
        assert (kind, found.status, found.reason) == (kind, "succeeded", None), log
    dumps = [path for path in (attempts.base / "kept").iterdir() if path.suffix == ".dump"]
    dumps[0].unlink()
    assert PASSWORD.encode() not in everything(attempts.base)


def test_a_monitor_keeps_its_samples_on_disk(attempts: Attempts, web: Web) -> None:
    options = {"for": "0s", "http": [{"url": web.url}]}
    attempt = begin(attempts, "monitor", options)
    until(lambda: attempt.read_result() is not None)
    samples, _ = read_samples(attempt)
    assert [sample["errors"] for sample in samples] == [0]


def test_verify_is_a_check_that_looks(attempts: Attempts) -> None:
    found, _ = perform(attempts, "check", {"run": "exit 1", "absent": 1}, mode="verify")
    assert (found.status, found.verdict) == ("succeeded", "absent")


def test_killed_between_two_files_a_migration_goes_on_after_the_first(
    attempts: Attempts, database: str
) -> None:
    files = attempts.base / "migrations"
    files.mkdir()
    (files / "1_t.sql").write_text("create table t (a int)")
    (files / "2_v.sql").write_text("insert into t values (1)")
    options = {"database": with_password(database)}
    secrets = (PASSWORD,)
    first = begin(attempts, "migrate", options, secrets=secrets, fault="migrate.committed:kill")
    until(lambda: first.claimed() is not None and not first.live().alive)
    assert first.read_result() is None

    def verdict() -> str | None:
        seen, _ = perform(attempts, "migrate", options, mode="probe", previous=(str(first.path),))
        return seen.verdict

    until(lambda: verdict() == "partial")
    found, log = perform(attempts, "migrate", options, secrets=secrets)
    assert found.outputs == {"applied": "1_t.sql, 2_v.sql", "count": "2", "version": "2"}, log
    assert verdict() == "present"
    with psycopg.connect(database) as connection:
        assert connection.execute("select a from t").fetchall() == [(1,)]
    assert PASSWORD.encode() not in everything(attempts.base)


def test_killed_in_mid_file_a_migration_leaves_nothing(attempts: Attempts, database: str) -> None:
    files = attempts.base / "migrations"
    files.mkdir()
    (files / "1_t.sql").write_text("create table t (a int); select pg_sleep(600)")
    first = begin(attempts, "migrate", {"database": database})
    busy = "select pid from pg_stat_activity where wait_event = 'PgSleep' and datname = %s"
    name = database.rpartition("/")[2]
    with psycopg.connect(database, autocommit=True) as connection:
        until(lambda: connection.execute(busy, (name,)).fetchall(), "the statement")
        seen, _ = perform(attempts, "migrate", {"database": database}, mode="probe")
        assert seen.verdict == "running"
        worker = first.worker()
        assert worker is not None
        proc.send(worker, SIGKILL)
        until(lambda: not connection.execute(busy, (name,)).fetchall(), "its end at the server")
    (files / "1_t.sql").write_text("create table t (a int)")
    found, _ = perform(attempts, "migrate", {"database": database})
    assert found.outputs["count"] == "1"


def test_killed_in_mid_build_an_index_is_built_anew(attempts: Attempts, database: str) -> None:
    files = attempts.base / "migrations"
    files.mkdir()
    (files / "1_t.sql").write_text("create table t (a int); insert into t values (1)")
    index = "-- runbook: no-transaction\ncreate index concurrently i on t (a)"
    options = {"database": database}
    with psycopg.connect(database, autocommit=True) as connection:
        perform(attempts, "migrate", options)
        (files / "2_i.sql").write_text(index)
        with psycopg.connect(database) as other:
            # An older transaction keeps the index from becoming valid.
            other.execute("insert into t values (2)")
            first = begin(attempts, "migrate", options)
            state = "select indisvalid from pg_index where indrelid = 't'::regclass"
            until(lambda: connection.execute(state).fetchall() == [(False,)], "the invalid index")
            worker = first.worker()
            assert worker is not None
            proc.send(worker, SIGKILL)
            building = "select 1 from pg_stat_progress_create_index"
            until(lambda: not connection.execute(building).fetchall(), "its end at the server")
            other.rollback()
        assert connection.execute(state).fetchall() == [(False,)]
        found, log = perform(attempts, "migrate", options)
        assert found.status == "succeeded", found.reason
        assert "index i is invalid, left by a try that broke: dropped" in log
        assert connection.execute(state).fetchall() == [(True,)]
