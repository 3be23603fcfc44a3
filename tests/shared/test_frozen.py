"""A server that is stopped and keeps its links: nobody waits for ever, nothing is written twice."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runbook_tui import exits
from runbook_tui.engine.patience import Patience
from runbook_tui.engine.ports import Command
from runbook_tui.engine.recorder import Author, Recorder
from state.audit import audit
from state.errors import StoreAway
from state.events import NoteAdded, Record
from state.stores import postgres_silence
from state.stores.location import Location
from state.stores.postgres_silence import Impatient
from state.stores.store import Store
from tests.harness.postgres import Server
from tests.harness.processes import until
from tests.harness.program import Program, step
from tests.harness.records import started
from tests.harness.stage import ScriptedOperator

pytestmark = pytest.mark.timeout(300)

RUN = "1123-k7f3"
ME = Author("dana", "bastion", 1)
NAME = "to_be_frozen"
"""What the connections are called in whose middle the server stops."""


class Waiting(ScriptedOperator):
    """Does something while the store is awaited."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    def commands(self, timeout: float) -> Sequence[Command]:
        self.meanwhile()
        return super().commands(timeout)


class Backend:
    """The server's process for one connection, which a test may stop."""

    def __init__(self, url: str) -> None:
        self._url = url
        (self.pid,) = self._pids()

    def _pids(self) -> list[int]:
        with psycopg.connect(self._url) as connection:
            return [
                pid
                for (pid,) in connection.execute(
                    "select pid from pg_stat_activity where application_name = %s", (NAME,)
                )
            ]

    def freeze(self) -> None:
        """Stop it."""
        os.kill(self.pid, signal.SIGSTOP)

    def finish(self) -> None:
        """Let it go on, and wait until it has done what it was sent and noticed that nobody is
        there any more; nothing when that was done.
        """
        if self.pid in self._pids():
            os.kill(self.pid, signal.SIGCONT)
        until(lambda: self.pid not in self._pids(), "the end of the old connection")


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that says nothing is given up soon."""
    monkeypatch.setattr(postgres_silence, "SILENCE", 0.5)


@pytest.fixture
def far(location: Location, store: Store, tmp_path: Path) -> Iterator[Store]:
    """A store with a connection of its own, and a run with one event."""
    store.journal.create_run(RUN, started("a"), operator="d", host="h", token=1, sources={})
    named = f"{location.url}?application_name={NAME}"
    with Location(tmp_path / "far", named).open() as opened:
        yield opened


@contextmanager
def frozen(url: str) -> Iterator[Backend]:
    """The backend of `far`, stopped; it goes on at the latest in the end."""
    backend = Backend(url)
    backend.freeze()
    try:
        yield backend
    finally:
        backend.finish()


def recorder(far: Store, operator: ScriptedOperator) -> Recorder:
    """Return a recorder of the run that waits for its store, and has written one note."""
    patience = Patience(operator)
    made = Recorder.of_run(far.journal, RUN, ME, patience.publish, patience=patience)
    made.record(NoteAdded("zero"))  # now it need not look before it writes
    return made


def texts(store: Store) -> Sequence[object]:
    """Return the notes that were kept, from a chain that is whole."""
    records = store.journal.read(RUN)
    assert audit(records, store.journal.head(RUN)) == []
    return [record.data.get("text") for record in records][1:]


@pytest.mark.usefixtures("silence")
def test_what_a_frozen_server_does_when_it_wakes_counts_once(
    far: Store, store: Store, url: str
) -> None:
    operator = Waiting()
    writer = recorder(far, operator)
    with frozen(url) as backend:
        writer.record(NoteAdded("one"))
        assert texts(store) == ["zero", "one"]
        backend.finish()
    assert texts(store) == ["zero", "one"], "the first try of it came too late"
    writer.record(NoteAdded("two"))
    assert texts(store) == ["zero", "one", "two"]
    away, back = operator.away
    assert away is not None
    assert "cannot be reached: it does not answer since" in away
    assert back is None


@pytest.mark.usefixtures("silence")
def test_what_it_does_before_it_is_asked_again_is_found(far: Store, store: Store, url: str) -> None:
    operator = Waiting()
    writer = recorder(far, operator)
    with frozen(url) as backend:
        operator.meanwhile = backend.finish
        writer.record(NoteAdded("one"))
    writer.record(NoteAdded("two"))
    assert texts(store) == ["zero", "one", "two"]


@pytest.mark.usefixtures("silence")
def test_what_it_does_just_as_it_is_written_again_is_found(
    far: Store, store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was looked, and not there; then the old connection's append comes before the new one."""
    writer = recorder(far, Waiting())
    looked: list[list[Record]] = []
    read = far.journal.read

    with frozen(url) as backend:

        def late(*words: Any, **named: Any) -> list[Record]:
            looked.append(read(*words, **named))
            if len(looked) == 1:
                backend.finish()
            return looked[-1]

        monkeypatch.setattr(far.journal, "read", late)
        writer.record(NoteAdded("one"))
    assert [len(found) for found in looked] == [0, 1]
    writer.record(NoteAdded("two"))
    assert texts(store) == ["zero", "one", "two"]


@pytest.mark.usefixtures("silence")
def test_a_transaction_in_its_middle_is_given_up_as_well(
    far: Store, store: Store, url: str
) -> None:
    def take(of: Store) -> object:
        return of.leases.acquire("run", RUN, run=RUN, operator="d", since="now")

    with frozen(url) as backend:
        with pytest.raises(StoreAway, match="does not answer since"):
            take(far)
        backend.finish()
    assert store.leases.last_holder("run", RUN) is None, "nothing of it was kept"
    lease = take(far)
    assert store.leases.held_by("run", RUN) is not None, lease


def test_who_waits_for_its_turn_meanwhile_does_not_wait_as_long_once_more(
    location: Location, store: Store, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_silence, "SILENCE", 2.0)
    tried: list[str] = []
    connect = Impatient.connect

    def counted(*words: Any, **named: Any) -> Impatient:
        tried.append("connect")
        return connect(*words, **named)

    together = threading.Barrier(4)

    def look(of: Store) -> None:
        together.wait()
        with pytest.raises(StoreAway):
            of.journal.runs()
        tried.append("told")

    with Location(location.directory, f"{location.url}?connect_timeout=2").open() as far:
        monkeypatch.setattr(Impatient, "connect", counted)
        threads = [threading.Thread(target=look, args=(far,)) for _ in range(together.parties)]
        with server.frozen():
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert tried.count("told") == len(threads)
    assert tried.count("connect") == 1, "by the one whose own statement was not answered"


SLOW = """\
runbook: Wait for the word
phases:
  - phase: All
    steps:
      - id: slow
        name: Wait
        run: 'echo begun >> effects; until test -e go; do sleep 0.05; done; echo done >> effects'
      - {id: next, name: Go on, run: echo next >> effects}
"""


def test_a_server_that_stands_still_pauses_the_run_and_is_said_to_whoever_looks(
    tmp_path: Path, url: str, server: Server
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "slow.yaml").write_text(SLOW)
    program = Program(tmp_path / "state", here, url=url)
    # Those that meet the silence wait less long for it.
    soon = replace(program, url=f"{url}?tcp_user_timeout=3000")

    def effects() -> list[str]:
        file = here / "effects"
        return file.read_text().split() if file.exists() else []

    with soon.start("run", "slow.yaml", "--headless") as child:
        assert child.stdout is not None
        until(lambda: effects() == ["begun"], "the first effect")
        run = program.runs()[0]["run"]
        with soon.start("watch", run, "--headless") as watcher:
            assert watcher.stdout is not None
            watcher.stdout.readline()
            with server.frozen():
                (here / "go").touch()
                told = soon.run("show", run).expect(exits.STORE)
                assert "cannot be reached" in told.output
                said = iter(child.stdout.readline, "")
                waits = next(one for one in said if "The run waits" in one)
                assert "does not answer since" in waits
                rest = watcher.stdout.read()
                assert watcher.wait(60) == exits.STORE
                assert "cannot be reached" in rest
                until(lambda: effects() == ["begun", "done"], "the end of the step")
        assert any("the journal is back" in line for line in said)
        assert child.wait(60) == exits.DONE
    assert effects() == ["begun", "done", "next"]
    shown = program.show(run)
    assert [len(step(shown, id_)["attempts"]) for id_ in ("slow", "next")] == [1, 1]
    assert "the chain is whole: " in program.run("audit", run).expect(exits.DONE).output
