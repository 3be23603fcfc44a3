"""A database that goes away in the middle: nothing is lost, nothing is written twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from runbook_tui.engine.patience import Patience
from runbook_tui.engine.ports import AddNote, Command, Leave
from runbook_tui.engine.recorder import Author, Recorder
from state.audit import audit
from state.errors import Fenced, Overtaken, StoreAway
from state.events import NoteAdded
from state.stores.store import Store
from tests.harness.link import Link
from tests.harness.records import started
from tests.harness.stage import ScriptedOperator

RUN = "1123-k7f3"
ME = Author("dana", "bastion", 1)


class Mender(ScriptedOperator):
    """Mends the link when there is nothing else to do, and says something meanwhile."""

    def __init__(self, link: Link, *commands: Command) -> None:
        super().__init__()
        self.link = link
        self.say = list(commands)

    def commands(self, timeout: float) -> Sequence[Command]:
        said, self.say = self.say, []
        self.link.mend()
        return [*said, *super().commands(timeout)]


@pytest.fixture(autouse=True)
def begun(store: Store) -> None:
    """A run with one event."""
    store.journal.create_run(RUN, started("a"), operator="d", host="h", token=1, sources={})


def texts(store: Store) -> Sequence[object]:
    """Return the notes that were kept, from a chain that is whole."""
    records = store.journal.read(RUN)
    assert audit(records, store.journal.head(RUN)) == []
    return [record.data.get("text") for record in records][1:]


def adds_events(request: bytes) -> bool:
    """Whether this is the statement that appends."""
    return b"INSERT INTO runbook.events" in request


def test_an_append_whose_answer_was_lost_was_made_and_is_found(
    far: Store, link: Link, store: Store
) -> None:
    link.lose_the_answer_to(adds_events)
    with pytest.raises(StoreAway):
        far.journal.append(RUN, [NoteAdded("kept")], operator="d", host="h", token=1, after=1)
    assert texts(store) == ["kept"]
    link.mend()
    with pytest.raises(Overtaken):
        far.journal.append(RUN, [NoteAdded("blind")], operator="d", host="h", token=1, after=1)
    assert far.journal.read(RUN) == store.journal.read(RUN)


def test_the_recorder_waits_and_takes_what_was_kept_for_its_own(
    far: Store, link: Link, store: Store
) -> None:
    operator = Mender(link, AddNote("meanwhile"))
    patience = Patience(operator)
    recorder = Recorder.of_run(far.journal, RUN, ME, patience.publish, patience=patience)
    link.lose_the_answer_to(adds_events)
    recorder.record(NoteAdded("one"), NoteAdded("two"))
    recorder.record(NoteAdded("three"))
    assert texts(store) == ["one", "two", "three"]
    assert [record.data["text"] for record in operator.records] == ["one", "two", "three"]
    away, back = operator.away
    assert away is not None
    assert "cannot be reached" in away
    assert back is None
    assert patience.commands(0) == [AddNote("meanwhile")], "what was said meanwhile is obeyed"


def test_the_recorder_writes_what_was_not_kept(far: Store, link: Link, store: Store) -> None:
    operator = Mender(link)
    patience = Patience(operator)
    recorder = Recorder.of_run(far.journal, RUN, ME, patience.publish, patience=patience)
    link.cut()
    recorder.record(NoteAdded("one"))
    assert texts(store) == ["one"]
    assert len(operator.away) == 2


def test_what_another_driver_wrote_meanwhile_is_not_ours(
    far: Store, link: Link, store: Store
) -> None:
    patience = Patience(Mender(link))
    recorder = Recorder.of_run(far.journal, RUN, ME, patience.publish, patience=patience)
    link.cut()
    store.journal.append(RUN, [NoteAdded("one")], operator="lee", host="desk", token=2)
    with pytest.raises(Fenced):
        recorder.record(NoteAdded("one"))
    assert texts(store) == ["one"]


def test_who_leaves_need_not_wait(far: Store, link: Link) -> None:
    patience = Patience(ScriptedOperator().when(lambda state: True, Leave("enough")))
    recorder = Recorder.of_run(far.journal, RUN, ME, patience.publish, patience=patience)
    patience.publish(recorder.state, ())
    link.cut()
    with pytest.raises(StoreAway):
        recorder.record(NoteAdded("one"))


def test_news_that_came_while_the_link_was_cut_are_caught_up_with(
    far: Store, link: Link, store: Store
) -> None:
    assert not far.news.wait(RUN, 1, 0.05)
    link.cut()
    store.journal.append(RUN, [NoteAdded("one")], operator="d", host="h", token=1)
    link.mend()
    assert far.news.wait(RUN, 1, 60)
    assert far.journal.read(RUN, 1) == store.journal.read(RUN, 1)
