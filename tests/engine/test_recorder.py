"""A run is read once: what is known of it is not read, nor folded, again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui.engine.recorder import Author, Recorder
from state.events import NoteAdded, Record
from state.fold import fold
from state.stores.sqlite import SqliteJournal, open_journal
from tests.harness.records import started

RUN = "1123-k7f3"
ME = Author("dana", "bastion", 1)


class Counting(SqliteJournal):
    """Counts the records that were read."""

    read_so_far = 0

    def read(self, run: str, after: int = 0) -> list[Record]:
        found = super().read(run, after)
        self.read_so_far += len(found)
        return found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Counting]:
    with Counting(tmp_path / "state", write=True) as opened:
        opened.create_run(RUN, started("a"), operator="dana", host="h", token=1, sources={})
        opened.append(RUN, [NoteAdded("one"), NoteAdded("two")], operator="d", host="h", token=1)
        yield opened


def test_only_what_came_since_is_read(journal: Counting) -> None:
    known = fold(journal.read(RUN))
    with open_journal(journal.directory) as other:
        other.append(RUN, [NoteAdded("three")], operator="lee", host="desk", token=1)
    before = journal.read_so_far
    recorder = Recorder.of_run(journal, RUN, ME, lambda state, records: None, known)
    assert journal.read_so_far == before + 1
    assert recorder.state == fold(journal.read(RUN))
    recorder.record(NoteAdded("four"))
    assert [note.text for note in recorder.state.notes] == ["one", "two", "three", "four"]


def test_what_is_known_of_another_run_does_not_count(journal: Counting) -> None:
    known = fold(journal.read(RUN))
    journal.create_run("back-1", started("b"), operator="d", host="h", token=1, sources={})
    recorder = Recorder.of_run(journal, "back-1", ME, lambda state, records: None, known)
    assert list(recorder.state.steps) == ["b"]
