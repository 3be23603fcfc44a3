"""What any leases must do; run on every store."""

from __future__ import annotations

import os

from state.holders import Held, Kind
from state.protocols import Lease
from state.stores.machine import machine_id
from state.stores.store import Store

SINCE = "2026-11-23T12:00:51.000000Z"


def take(
    store: Store, name: str, *, kind: Kind = "environment", run: str = "1123-k7f3", above: int = 0
) -> Lease | Held:
    """Try to take a lease as dana."""
    return store.leases.acquire(kind, name, run=run, operator="dana", since=SINCE, above=above)


def taken(store: Store, name: str, *, kind: Kind = "environment", above: int = 0) -> Lease:
    """Take a lease that is free."""
    lease = take(store, name, kind=kind, above=above)
    assert not isinstance(lease, Held), lease
    return lease


def one_holds_and_the_other_is_told_by_whom(store: Store) -> None:
    """Until it is let go; then the next one knows who it was."""
    assert store.leases.last_holder("environment", "production") is None
    lease = taken(store, "production")
    assert (lease.name, lease.previous, lease.lost()) == ("production", None, False)
    holder = lease.holder
    assert (holder.run, holder.operator, holder.since) == ("1123-k7f3", "dana", SINCE)
    assert (holder.pid, holder.machine, holder.token) == (os.getpid(), machine_id(), lease.token)
    refused = take(store, "production", run="1124-r1b0")
    assert isinstance(refused, Held)
    assert (refused.name, refused.holder) == ("production", holder)
    looked = store.leases.held_by("environment", "production")
    assert looked is not None
    assert looked.holder == store.leases.last_holder("environment", "production") == holder
    lease.release()
    lease.release()
    assert store.leases.held_by("environment", "production") is None
    assert store.leases.last_holder("environment", "production") == holder
    again = taken(store, "production")
    assert again.previous == holder
    lease.release()
    assert store.leases.held_by("environment", "production") is not None, "not the first one's"
    again.release()


def tokens_grow_past_what_the_journal_has_seen(store: Store) -> None:
    """With every acquisition, of any lease."""
    tokens = []
    for above in (0, 0, 41, 0):
        lease = taken(store, "production", above=above)
        tokens.append(lease.token)
        lease.release()
    assert tokens == [1, 2, 42, 43]


def a_run_and_an_environment_of_one_name_are_two(store: Store) -> None:
    """Whatever the name."""
    for name in ("production", "../../etc/passwd", "größe / x"):
        environment, run = taken(store, name), taken(store, name, kind="run")
        assert store.leases.held_by("run", name) is not None
        run.release()
        assert store.leases.held_by("run", name) is None
        assert store.leases.held_by("environment", name) is not None
        environment.release()


CONTRACT = (
    one_holds_and_the_other_is_told_by_whom,
    tokens_grow_past_what_the_journal_has_seen,
    a_run_and_an_environment_of_one_name_are_two,
)
