"""Who watches, by the database's word and time."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from state.errors import StoreError
from state.stores import postgres_presence
from state.stores.location import Location
from state.stores.store import Store
from state.watcher import Watcher
from tests.shared.conftest import as_role

RUN = "1123-k7f3"


@pytest.fixture
def lees(location: Location, store: Store, url: str) -> Iterator[Store]:
    """The store as lee has it, who owns nothing in it."""
    with Location(location.directory, as_role(url, "lee")).open() as opened:
        yield opened


def rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute("select count(*) from runbook.presence").fetchone()
    assert found is not None
    return int(found[0])


def test_who_watches_is_seen_until_they_leave(store: Store, lees: Store) -> None:
    assert store.presence.watching(RUN) == []
    for _ in range(2):
        lees.presence.beat(RUN, operator="anybody", host="desk")
    store.presence.beat("1124-r1b0", operator="dana", host="bastion")
    assert store.presence.watching(RUN) == [Watcher("anybody", "desk", "lee")]
    assert lees.presence.watching("1124-r1b0") == [Watcher("dana", "bastion", "postgres")]
    lees.presence.beat("1124-r1b0", operator="anybody", host="desk")
    assert store.presence.watching(RUN) == []
    assert [one.operator for one in store.presence.watching("1124-r1b0")] == ["anybody", "dana"]
    lees.presence.leave()
    lees.presence.leave()
    assert [one.operator for one in store.presence.watching("1124-r1b0")] == ["dana"]


def test_who_is_silent_or_cut_off_is_gone_and_leaves_no_row_for_ever(
    store: Store, lees: Store, url: str
) -> None:
    lees.presence.beat(RUN, operator="lee", host="desk")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("alter table runbook.presence disable trigger sign")
        connection.execute(
            "insert into runbook.presence select 'dead' || n, %s, 'kim', 'lab', 'kim', "
            "clock_timestamp(), 0 from generate_series(1, 150) as n",
            (RUN,),
        )
        connection.execute("alter table runbook.presence enable trigger sign")
        # Their connections are gone.
        assert [one.operator for one in store.presence.watching(RUN)] == ["lee"]
        late = f"clock_timestamp() - interval '{postgres_presence.STALE} s'"
        connection.execute(f"update runbook.presence set beat = {late}".encode())
        assert store.presence.watching(RUN) == []
        long_ago = "clock_timestamp() - interval '1 hour'"
        connection.execute(f"update runbook.presence set beat = {long_ago}".encode())
    for _ in range(2):
        lees.presence.beat(RUN, operator="lee", host="desk")
    assert rows(url) == 1
    assert [one.operator for one in store.presence.watching(RUN)] == ["lee"]


def test_nobody_can_watch_as_somebody_else(store: Store, lees: Store, url: str) -> None:
    store.presence.beat(RUN, operator="dana", host="bastion")
    with psycopg.connect(as_role(url, "lee"), autocommit=True) as connection:
        connection.execute(
            "insert into runbook.presence (id, run, operator, host, identity, beat, backend) "
            "values ('x', %s, 'dana', 'h', 'dana', clock_timestamp(), pg_backend_pid())",
            (RUN,),
        )
        forged = store.presence.watching(RUN)
        assert Watcher("dana", "h", "lee") in forged
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("update runbook.presence set identity = 'dana'")


def test_a_stranger_is_refused(store: Store, location: Location, url: str) -> None:
    with pytest.raises(StoreError), Location(location.directory, as_role(url, "stranger")).open():
        pass
