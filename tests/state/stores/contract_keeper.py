"""What anything that takes whole runs in must do; run on every store."""

from __future__ import annotations

import pytest

from state.audit import audit
from state.errors import ImportedRun, RunExists
from state.events import NoteAdded
from state.kept import Kept
from state.stores.store import Store
from tests.harness.records import chained, started

RUN = "1123-k7f3"


def kept(run: str, *notes: str) -> Kept:
    """Return a run as it comes from elsewhere."""
    records = chained([started("a"), *map(NoteAdded, notes)], run=run)
    files = {"deploy.yaml": b"runbook: x\r\n\xff", "env.yaml": b""}
    return Kept(run, records, files, "imported from out.tar.gz")


def what_is_adopted_is_as_it_was_and_cannot_be_added_to(store: Store) -> None:
    """Records, head, chain and files; events and messages are refused."""
    assert store.keeper is not None
    given = kept(RUN, "Grüße \x00", "two")
    store.keeper.adopt([given, kept(f"{RUN}-back")])
    journal = store.journal
    assert journal.read(RUN) == given.records
    assert audit(journal.read(RUN), journal.head(RUN)) == []
    assert journal.sources(RUN) == given.sources
    assert store.keeper.size(RUN) > 500
    assert store.origin(RUN) == "imported from out.tar.gz"
    assert store.origin("none") is None
    for _ in range(2):
        with pytest.raises(ImportedRun, match=r"imported from out\.tar\.gz"):
            journal.append(RUN, [NoteAdded("x")], operator="d", host="h", token=99)
    with pytest.raises(ImportedRun):
        store.inbox.send(RUN, "note", {}, sender="lee", host="desk")
    assert len(journal.read(RUN)) == 3


def of_runs_of_which_one_is_there_none_is_adopted(store: Store) -> None:
    """All or none."""
    assert store.keeper is not None
    store.journal.create_run(RUN, started("a"), operator="d", host="h", token=1, sources={})
    with pytest.raises(RunExists):
        store.keeper.adopt([kept("new"), kept(RUN)])
    assert store.journal.runs() == [RUN]
    assert store.origin(RUN) is None


CONTRACT = (
    what_is_adopted_is_as_it_was_and_cannot_be_added_to,
    of_runs_of_which_one_is_there_none_is_adopted,
)
