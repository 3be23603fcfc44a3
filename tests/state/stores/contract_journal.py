"""What any journal must do; run on every store (see `test_contracts.py`, `tests/shared`)."""

from __future__ import annotations

import threading

import pytest

from state.audit import audit
from state.codec import Head, head_of
from state.errors import CodecError, Fenced, Overtaken, RunExists
from state.events import NoteAdded, Record
from state.fold import fold
from state.protocols import Journal
from state.stores.store import Store
from tests.harness.records import started

RUN = "1123-k7f3"


def begin(journal: Journal, run: str = RUN, **sources: bytes) -> Record:
    """Begin a run of three steps."""
    return journal.create_run(
        run, started("a", "b", "c"), operator="dana", host="bastion", token=1, sources=sources
    )


def note(journal: Journal, *texts: str, token: int = 1, after: int | None = None) -> None:
    """Append notes in one transaction."""
    payloads = [NoteAdded(text) for text in texts]
    journal.append(RUN, payloads, operator="dana", host="bastion", token=token, after=after)


def what_was_appended_is_read_in_order(store: Store) -> None:
    """Records, head and chain; text of any kind comes back as it was."""
    journal = store.journal
    first = begin(journal)
    odd = "größe \u2028 \x00 \x1b[31m \U0001f600 'quoted' %(run)s"
    rest = journal.append(
        RUN, [NoteAdded("one"), NoteAdded(odd)], operator="lee", host="desk", token=1, after=1
    )
    everything = [first, *rest]
    assert journal.read(RUN) == everything
    assert journal.read(RUN, after=1) == rest
    assert journal.head(RUN) == head_of(rest[-1]) == Head(3, rest[-1].hash)
    assert [(one.operator, one.host) for one in rest] == [("lee", "desk")] * 2
    assert audit(journal.read(RUN), journal.head(RUN)) == []
    assert fold(journal.read(RUN)) == fold(everything)


def runs_are_listed_newest_first(store: Store) -> None:
    """An unknown run is empty; one that is there is not begun again."""
    journal = store.journal
    for run in ("1123-zzzz", "1123-aaaa", "1124-mmmm"):
        begin(journal, run)
    assert journal.runs() == ["1124-mmmm", "1123-aaaa", "1123-zzzz"]
    assert (journal.read("x"), journal.head("x"), journal.sources("x")) == ([], None, {})
    with pytest.raises(KeyError):
        journal.append("x", [NoteAdded("x")], operator="d", host="h", token=1)
    with pytest.raises(RunExists):
        begin(journal, "1123-aaaa")
    assert len(journal.read("1123-aaaa")) == 1


def the_definition_is_kept_byte_for_byte(store: Store) -> None:
    """Two runs share a file; one of its files is empty, one run has none."""
    crlf = b"runbook: x\r\n\xff\x00"
    begin(store.journal, "one", **{"deploy.yaml": crlf, "copy.yaml": crlf, "env.yaml": b""})
    begin(store.journal, "two", **{"deploy.yaml": crlf})
    begin(store.journal, "three")
    assert store.journal.sources("one") == {
        "deploy.yaml": crlf,
        "copy.yaml": crlf,
        "env.yaml": b"",
    }
    assert store.journal.sources("two") == {"deploy.yaml": crlf}
    # What is adopted later stands beside it; what is there already stays as it is.
    later = {"adopted/1": b"later", "adopted/2": crlf, "deploy.yaml": b"not this"}
    store.journal.keep("two", later)
    store.journal.keep("two", {"adopted/1": b"later"})
    kept = {"deploy.yaml": crlf, "adopted/1": b"later", "adopted/2": crlf}
    assert store.journal.sources("two") == kept
    assert store.journal.sources("three") == {}
    with pytest.raises(KeyError):
        store.journal.keep("none", later)
    assert store.journal.sources("three") == {}


def an_append_is_all_or_nothing(store: Store) -> None:
    """An event that JSON cannot hold keeps those before it out too."""
    journal = store.journal
    begin(journal)
    with pytest.raises(CodecError):
        note(journal, "fits", "half \ud83d a pair")
    assert [record.seq for record in journal.read(RUN)] == [1]
    note(journal, "goes on")
    note(journal)
    assert len(journal.read(RUN)) == 2
    assert audit(journal.read(RUN), journal.head(RUN)) == []


def an_older_token_and_a_stale_reader_cannot_write(store: Store) -> None:
    """Also not right after having written with the newer one."""
    journal = store.journal
    begin(journal)
    note(journal, "taken over", token=2)
    with pytest.raises(Fenced):
        note(journal, "late", token=1)
    with pytest.raises(Overtaken):
        note(journal, "stale", token=2, after=1)
    note(journal, "knows all", token=2, after=2)
    assert [record.token for record in journal.read(RUN)] == [1, 2, 2]


def several_threads_write_one_chain(store: Store) -> None:
    """Eight at once."""
    journal = store.journal
    begin(journal)
    threads = [threading.Thread(target=note, args=(journal, str(n))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(journal.read(RUN)) == 9
    assert audit(journal.read(RUN), journal.head(RUN)) == []


def news_tell_of_what_is_new(store: Store) -> None:
    """At once for what is there, after a wait for what comes, not for another run."""
    begin(store.journal)
    begin(store.journal, "1124-r1b0")
    assert store.news.wait(RUN, 0, 0)
    assert not store.news.wait(RUN, 1, 0.1)
    assert not store.news.wait("x", 0, 0.1)
    later = threading.Timer(0.2, note, (store.journal, "later"))
    later.start()
    assert store.news.wait(RUN, 1, 60)
    later.join()


CONTRACT = (
    what_was_appended_is_read_in_order,
    runs_are_listed_newest_first,
    the_definition_is_kept_byte_for_byte,
    an_append_is_all_or_nothing,
    an_older_token_and_a_stale_reader_cannot_write,
    several_threads_write_one_chain,
    news_tell_of_what_is_new,
)
