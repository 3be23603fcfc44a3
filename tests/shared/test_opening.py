"""Opening a shared journal: made once, and refused in words that hold no password."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest

from state.errors import StoreAway, StoreError, StoreNewer, StoreUnusable
from state.events import NoteAdded
from state.stores import postgres_schema
from state.stores.location import Location
from state.stores.store import Store
from tests.harness.postgres import Server
from tests.harness.records import started
from tests.shared.conftest import as_role

RUN = "1123-k7f3"


def refusal(location: Location, kind: type[StoreError]) -> str:
    """Return the sentence and advice with which opening is refused."""
    with pytest.raises(kind) as caught:
        location.open().close()
    return f"{caught.value.sentence} {caught.value.advice}"


def test_several_may_open_it_at_once_and_it_is_made_once(location: Location) -> None:
    failures: list[BaseException] = []

    def opened() -> None:
        try:
            location.open().close()
        except BaseException as problem:
            failures.append(problem)
            raise

    threads = [threading.Thread(target=opened) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with location.open() as store:
        assert store.journal.runs() == []
        assert store.shared


def test_a_newer_schema_is_refused(location: Location, store: Store, url: str) -> None:
    newer = postgres_schema.SCHEMA_VERSION + 1
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("update runbook.version set version = %s", (newer,))
        # What is connected already knew the schema; whoever comes is refused.
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'runbook' and datname = current_database()"
        )
    said = refusal(Location(location.directory / "other", url + "?options=-cgeqo%3Don"), StoreNewer)
    assert f"its schema is {newer}, this program knows {newer - 1}" in said


def test_an_older_schema_is_brought_up_to_date(location: Location, url: str) -> None:
    with location.open() as store:
        store.journal.create_run(RUN, started("a"), operator="d", host="h", token=1, sources={})
        kept = store.journal.read(RUN)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop table runbook.claims, runbook.presence")
        connection.execute("alter table runbook.leases drop column process")
        connection.execute("update runbook.version set version = 1")
        said = refusal(Location(location.directory, as_role(url, "dana")), StoreUnusable)
        assert "bring its journal up to date (schema 1 to 4). Have its owner do it" in said
    with location.open() as store:
        assert store.journal.read(RUN) == kept
        assert store.claims.claim(RUN, "x", "void", token=1).ours


def test_who_is_no_member_is_told_whom_to_ask(location: Location, store: Store, url: str) -> None:
    said = refusal(Location(location.directory, as_role(url, "stranger")), StoreUnusable)
    assert "permission denied for schema runbook" in said
    assert "GRANT runbook TO" in said


def test_who_may_not_make_it_is_told_so(location: Location, url: str) -> None:
    said = refusal(Location(location.directory, as_role(url, "dana")), StoreUnusable)
    assert "does not let your role make its journal. Have its owner do it once" in said


def test_a_wrong_password_is_not_repeated(location: Location, url: str, server: Server) -> None:
    hba = server.directory / "data" / "pg_hba.conf"
    before = hba.read_text()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create role locked login password 'right one' in role runbook")
        try:
            hba.write_text(f"host all locked all scram-sha-256\n{before}")
            connection.execute("select pg_reload_conf()")
            wrong = url.replace("postgres@", "locked:hun%40ter%2022@")
            said = refusal(Location(location.directory, wrong), StoreAway)
            assert 'password authentication failed for user "locked"' in said
            assert not any(word in said for word in ("hun", "ter%2022", "ter 22"))
        finally:
            hba.write_text(before)
            connection.execute("select pg_reload_conf()")
            connection.execute("drop role locked")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://dana:hun@ter22@127.0.0.1/runbook",
        "postgresql://dana:hun/ter22@127.0.0.1/runbook",
        "postgresql://dana:hun#ter22@127.0.0.1/runbook",
        "postgresql://dana:hunter22@127.0.0.1/runbook?colour=red",
    ],
)
def test_a_url_that_cannot_be_read_is_not_repeated(tmp_path: Path, url: str) -> None:
    said = refusal(Location(tmp_path / "state", url), StoreUnusable)
    assert "is not the URL of a database" in said
    assert "hun" not in said
    assert "ter22" not in said


def test_nobody_there(tmp_path: Path) -> None:
    nowhere = Location(tmp_path / "state", "postgresql://dana:hunter22@127.0.0.1:1/runbook")
    said = refusal(nowhere, StoreAway)
    assert "The database postgresql://dana@127.0.0.1:1/runbook cannot be reached" in said
    assert "hunter22" not in said


def test_an_encoding_that_cannot_hold_a_journal_is_refused(
    server: Server, location: Location
) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create database latin encoding 'LATIN1' locale 'C' template template0")
        try:
            said = refusal(Location(location.directory, server.url("latin")), StoreUnusable)
            assert "has the encoding LATIN1, and a journal needs UTF8" in said
        finally:
            connection.execute("drop database latin with (force)")


def test_a_reader_writes_nothing(location: Location, store: Store) -> None:
    store.journal.create_run(RUN, started("a"), operator="d", host="h", token=1, sources={})
    with location.open(write=False) as reader:
        assert len(reader.journal.read(RUN)) == 1
        with pytest.raises(StoreUnusable, match="does not allow it"):
            reader.journal.append(RUN, [NoteAdded("x")], operator="d", host="h", token=1)
        assert len(reader.journal.read(RUN)) == 1


def test_members_of_the_group_cannot_rewrite_history(
    location: Location, store: Store, url: str
) -> None:
    store.journal.create_run(RUN, started("a"), operator="d", host="h", token=1, sources={})
    with psycopg.connect(as_role(url, "dana"), autocommit=True) as connection:
        for statement in (
            "update runbook.events set data = '{}'",
            "delete from runbook.events",
            "delete from runbook.heads",
            "truncate runbook.inbox",
            "update runbook.inbox set identity = 'lee'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_a_program_holds_two_connections_at_most(location: Location, url: str) -> None:
    with location.open() as store, location.open() as another, psycopg.connect(url) as watching:
        store.journal.create_run(RUN, started("a"), operator="d", host="h", token=1, sources={})
        lease = store.leases.acquire("run", RUN, run=RUN, operator="d", since="now")
        assert another.news.wait(RUN, 0, 10)
        assert not another.news.wait(RUN, 1, 0.1)
        another.inbox.send(RUN, "note", {}, sender="lee", host="desk")
        found = watching.execute(
            "select count(*) from pg_stat_activity "
            "where application_name = 'runbook' and datname = current_database()"
        ).fetchone()
        assert found == (2,)
        assert not isinstance(lease, tuple)
