"""Taking the leases of a run: in order, all or none, and in words when somebody is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui.engine import outline
from runbook_tui.engine.environments_in_use import InUse, release, take
from state.holders import Held
from state.payloads import from_data
from state.protocols import Lease
from state.stores.store import Store, open_local
from tests.harness.plans import FOLDER, Story, plan, step

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


def test_what_runs_under_a_driver_is_in_use_and_no_riddle(store: Store) -> None:
    story = Story(plan(step("a"))).intended("a")
    intended = story.records[-1]
    store.journal.create_run(
        "1124-r1b0",
        outline.started(story.plan, FOLDER),
        operator="lee",
        host="x",
        token=1,
        sources={},
    )
    payload = from_data(intended.kind, intended.data)
    store.journal.append("1124-r1b0", [payload], operator="lee", host="x", token=1)
    blocker = hold(store, "production")
    with pytest.raises(InUse, match=r"is in use: lee@.* drives run 1124-r1b0") as caught:
        take(store, RUN, ["production"], "dana", above=0)
    assert "runbook watch 1124-r1b0" in caught.value.advice
    assert "take-over 1124-r1b0" in caught.value.advice
    blocker.release()
    with pytest.raises(InUse, match="whose outcome is not known") as caught:
        take(store, RUN, ["production"], "dana", above=0)
    assert caught.value.held is None
