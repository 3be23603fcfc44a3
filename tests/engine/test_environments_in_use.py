"""Taking the leases of a run: in order, all or none, and in words when somebody is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui.engine.environments_in_use import InUse, release, take
from state.holders import Held
from state.protocols import Lease
from state.stores.store import Store, open_local

RUN = "1123-k7f3"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_local(tmp_path / "state") as opened:
        yield opened


def hold(store: Store, name: str) -> Lease:
    """Hold an environment as lee's run."""
    got = store.leases.acquire("environment", name, run="1124-r1b0", operator="lee", since="now")
    assert not isinstance(got, Held)
    return got


def test_each_environment_is_taken_once_in_order_of_name_and_the_run_last(store: Store) -> None:
    taken = take(store, RUN, ["staging", "production", "ci", "staging"], "dana", above=41)
    assert [lease.name for lease in taken] == ["ci", "production", "staging", RUN]
    assert {lease.token for lease in taken} == {42}
    release(taken)
    assert store.leases.held_by("run", RUN) is None


def test_all_or_none_are_taken_and_the_refusal_says_who_is_there(store: Store) -> None:
    blocker = hold(store, "production")
    with pytest.raises(InUse, match="The environment production is in use: lee@") as caught:
        take(store, RUN, ["staging", "production", "ci"], "dana", above=0)
    assert caught.value.held == Held("production", blocker.holder)
    assert store.leases.held_by("environment", "ci") is None
    assert store.leases.last_holder("environment", "staging") is None, "never tried"
    blocker.release()
    release(take(store, RUN, ["staging", "production", "ci"], "dana", above=0))


def test_one_who_lives_on_this_machine_is_not_replaced_by_force(store: Store) -> None:
    hold(store, "production")
    with pytest.raises(InUse, match="drives run 1124-r1b0 there"):
        take(store, RUN, ["production"], "dana", above=0, by_force=True)
