"""Claims between machines: one of worker and void, and none for a driver that was replaced."""

from __future__ import annotations

import pytest

from state.claims import Claimant, Claimed
from state.errors import Fenced
from state.holders import Held
from state.stores.location import Location
from state.stores.postgres_claims import BEGIN_WITHIN
from state.stores.store import Store
from tests.shared.conftest import as_role

RUN = "1123-k7f3"
SINCE = "2026-11-23T12:00:51.000000Z"


def attempt(number: int) -> str:
    return f"runs/{RUN}/attempts/a.{number}"


def claim(store: Store, number: int, claimant: Claimant, token: int = 1) -> Claimed:
    return store.claims.claim(RUN, attempt(number), claimant, token=token)


def test_exactly_one_has_it_and_who_asks_again_hears_the_same(
    location: Location, store: Store
) -> None:
    with location.open() as other:
        assert claim(store, 1, "worker", 1) == Claimed(ours=True, left=BEGIN_WITHIN)
        for _ in range(2):
            lost = claim(other, 1, "void", 2)
            assert not lost.ours
            assert lost.left is not None
            assert 0 < lost.left < BEGIN_WITHIN
        assert claim(store, 1, "worker", 1).ours, "the answer may have been lost"
        assert not claim(other, 1, "worker", 2).ours
        assert claim(other, 2, "void", 2).ours
        assert not claim(store, 2, "worker", 1).ours
        assert claim(store, 2, "void", 1).ours, "void, whoever said so"


def test_one_who_was_replaced_claims_nothing(location: Location, store: Store) -> None:
    first = store.leases.acquire("run", RUN, run=RUN, operator="d", since=SINCE)
    assert not isinstance(first, Held)
    with location.open() as other:
        second = other.leases.take_over("run", RUN, run=RUN, operator="l", since=SINCE)
        assert not isinstance(second, Held)
        with pytest.raises(Fenced):
            claim(store, 1, "worker", first.token)
        assert claim(other, 1, "worker", second.token).ours
        second.release()


def test_a_member_of_the_group_may_claim(location: Location, store: Store, url: str) -> None:
    with Location(location.directory, as_role(url, "dana")).open() as danas:
        assert claim(danas, 1, "worker").ours
