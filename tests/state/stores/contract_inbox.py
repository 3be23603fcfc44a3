"""What any inbox must do; `test_contracts.py` runs it on every store."""

from __future__ import annotations

import pytest

from state.stores.store import Store
from tests.harness.records import started

RUN = "1123-k7f3"


def messages_come_in_order_until_they_are_done(store: Store) -> None:
    """Two runs, three messages; one taken out twice."""
    for run in (RUN, "1124-r1b0"):
        store.journal.create_run(
            run, started("a"), operator="dana", host="bastion", token=1, sources={}
        )
    first = store.inbox.send(RUN, "note", {"text": "größer", "step": None}, sender="lee", host="d")
    second = store.inbox.send(RUN, "stop", {"reason": "no"}, sender="kim", host="e")
    other = store.inbox.send("1124-r1b0", "note", {"text": "x"}, sender="lee", host="d")
    assert store.inbox.pending(RUN) == [first, second]
    assert (first.data, first.sender, first.host, first.kind) == (
        {"text": "größer", "step": None},
        "lee",
        "d",
        "note",
    )
    assert len({first.id, second.id, other.id}) == 3
    for _ in range(2):
        store.inbox.done(RUN, [first.id, other.id, "no such message"])
    assert store.inbox.pending(RUN) == [second]
    assert store.inbox.pending("1124-r1b0") == [other], "not a message of that run"
    store.inbox.done(RUN, [])


def an_unknown_run_has_no_inbox(store: Store) -> None:
    """Nothing is kept for a run that is not there."""
    assert store.inbox.pending("x") == []
    with pytest.raises(KeyError):
        store.inbox.send("x", "note", {}, sender="lee", host="desk")


CONTRACT = (messages_come_in_order_until_they_are_done, an_unknown_run_has_no_inbox)
