"""Who somebody is, by the database's word."""

from __future__ import annotations

import psycopg

from state.stores.location import Location
from state.stores.store import Store
from tests.harness.records import started
from tests.shared.conftest import as_role

RUN = "1123-k7f3"


def test_a_message_is_signed_by_the_database(location: Location, store: Store, url: str) -> None:
    store.journal.create_run(RUN, started("a"), operator="d", host="h", token=1, sources={})
    assert store.identities.own() == "postgres"
    with Location(location.directory, as_role(url, "lee")).open() as lees:
        assert lees.identities.own() == "lee"
        sent = lees.inbox.send(RUN, "approve", {"step": "a"}, sender="dana", host="desk")
    assert (sent.sender, sent.identity) == ("dana", "lee")
    assert store.inbox.pending(RUN) == [sent]
    with psycopg.connect(as_role(url, "lee"), autocommit=True) as connection:
        connection.execute(
            "insert into runbook.inbox (id, run, kind, data, sender, host, at, identity) "
            "values ('forged', %s, 'approve', '{}', 'dana', 'h', 'now', 'dana')",
            (RUN,),
        )
    assert store.inbox.pending(RUN)[1].identity == "lee"


def test_roles_are_the_databases(store: Store) -> None:
    member = store.identities.is_member
    assert member("dana", "runbook")
    assert member("dana", "dana")
    assert not member("dana", "lee")
    assert not member("stranger", "runbook")
    assert not member("nobody", "runbook")
    assert not member("dana", "no such role")


def test_a_lease_says_which_role_holds_it(location: Location, store: Store, url: str) -> None:
    with Location(location.directory, as_role(url, "dana")).open() as danas:
        danas.leases.acquire("run", RUN, run=RUN, operator="lee", since="now")
        held = store.leases.held_by("run", RUN)
        assert held is not None
        assert held.holder is not None
        assert (held.holder.operator, held.holder.role) == ("lee", "dana")
