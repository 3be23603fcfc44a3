"""One driver: a lease has one holder, and one that was replaced writes nothing any more."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from runbook_tui.engine import awaiting_end, environments_in_use
from runbook_tui.engine.environments_in_use import InUse
from state.audit import audit
from state.errors import Fenced
from state.events import NoteAdded
from state.holders import Held
from state.protocols import Lease
from state.stores import postgres_leases
from state.stores.location import Location
from state.stores.store import Store
from tests.harness.processes import until
from tests.harness.records import started

RUN = "1123-k7f3"
SINCE = "2026-11-23T12:00:51.000000Z"


def begin(store: Store, token: int = 1) -> None:
    """Begin the run."""
    store.journal.create_run(RUN, started("a"), operator="d", host="h", token=token, sources={})


def note(store: Store, text: str, lease: Lease) -> None:
    """Append a note as the holder of a lease."""
    store.journal.append(RUN, [NoteAdded(text)], operator="d", host="h", token=lease.token)


def texts(store: Store) -> Sequence[object]:
    """Return the notes that were kept."""
    return [record.data.get("text") for record in store.journal.read(RUN)][1:]


def take(store: Store, name: str = RUN, *, force: bool = False) -> Lease | Held:
    """Try to take a lease: that of the run, or of an environment."""
    acquire = store.leases.take_over if force else store.leases.acquire
    kind = "run" if name == RUN else "environment"
    return acquire(kind, name, run=RUN, operator="lee", since=SINCE)  # type: ignore[arg-type]


def taken(store: Store, name: str = RUN, *, force: bool = False) -> Lease:
    """Take a lease."""
    got = take(store, name, force=force)
    assert not isinstance(got, Held), got
    return got


def test_one_who_was_taken_over_writes_nothing_more(location: Location, store: Store) -> None:
    begin(store)
    first = taken(store)
    note(store, "first", first)
    with location.open() as other:
        held = take(other)
        assert isinstance(held, Held)
        assert held.seen is not None
        second = taken(other, force=True)
        assert second.previous == first.holder
        # The other has not written yet: it is the lease that fences.
        with pytest.raises(Fenced):
            note(store, "late", first)
        with pytest.raises(Fenced):
            store.journal.create_run(
                "1124-r1b0", started("a"), operator="d", host="h", token=first.token, sources={}
            )
        note(other, "second", second)
        until(first.lost, "the heartbeat that notices")
        first.release()
        assert isinstance(take(store), Held), "what was lost cannot be let go"
        assert not second.lost()
        second.release()
    assert texts(store) == ["first", "second"]
    assert audit(store.journal.read(RUN), store.journal.head(RUN)) == []


def test_a_driver_is_fenced_by_any_of_its_leases(location: Location, store: Store) -> None:
    """Another run took its environment; the run itself nobody touched."""
    begin(store)
    environment, run = taken(store, "production"), taken(store)
    with location.open() as other:
        taken(other, "production", force=True)
        with pytest.raises(Fenced):
            note(store, "late", run)
        environment.release()
        note(store, "holds the rest", run)


_DRIVER = """
import sys, time
from pathlib import Path
from state.errors import Fenced
from state.events import NoteAdded
from state.stores.location import Location
with Location(Path(sys.argv[1]), sys.argv[2]).open() as store:
    lease = store.leases.acquire("run", "1123-k7f3", run="1123-k7f3", operator="d", since="now")
    number = 0
    try:
        while True:
            number += 1
            store.journal.append("1123-k7f3", [NoteAdded(str(number))], operator="d", host="h",
                                 token=lease.token)
            print(number, flush=True)
            time.sleep(0.01)
    except Fenced:
        print("fenced", flush=True)
"""


APART = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Words before a command that is to have other processes beside it than we."""


@contextmanager
def driver(location: Location, *before: str) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that holds the run's lease and writes a note again and again."""
    argv = [
        *before,
        sys.executable,
        "-c",
        _DRIVER,
        str(location.directory / "driver"),
        location.url or "",
    ]
    checkout = Path(__file__).parents[2]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=checkout, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "1\n"
            yield child
        finally:
            child.kill()


def test_a_paused_driver_is_replaced_and_fenced_when_it_wakes(
    location: Location, store: Store
) -> None:
    begin(store)
    with driver(location) as paused:
        assert isinstance(take(store), Held)
        paused.send_signal(signal.SIGSTOP)
        got: list[Lease] = []

        def free() -> bool:
            found = take(store)
            got.extend([found] if not isinstance(found, Held) else [])
            return bool(got)

        until(free, "the lease's expiry")
        note(store, "taken over", got[0])
        count = len(texts(store))
        paused.send_signal(signal.SIGCONT)
        assert paused.communicate()[0].split()[-1] == "fenced"
        assert paused.returncode == 0
        assert len(texts(store)) == count
        assert texts(store)[-1] == "taken over"
    assert audit(store.journal.read(RUN), store.journal.head(RUN)) == []


def test_a_killed_driver_is_replaced_at_once_where_its_process_would_be_seen(
    location: Location, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(store)
    # No silence is long enough here: it must be the process that counts.
    monkeypatch.setattr(postgres_leases, "GONE", 1000.0)
    monkeypatch.setattr(postgres_leases, "EXPIRY", 1000.0)
    with driver(location) as victim:
        assert isinstance(take(store), Held), "it lives"
        victim.kill()
        victim.wait()
        lease = taken(store)
        assert lease.previous is not None
        assert lease.previous.pid == victim.pid
        assert lease.token > lease.previous.token
        note(store, "goes on", lease)
    assert audit(store.journal.read(RUN), store.journal.head(RUN)) == []


def lives(store: Store) -> bool:
    """Whether the run's holder is taken to be alive."""
    held = store.leases.held_by("run", RUN)
    return held is not None and held.left is None


def test_who_comes_when_a_driver_of_another_machine_was_killed_waits_and_is_told(
    location: Location, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(store)
    monkeypatch.setattr(postgres_leases, "GONE", 5.0)  # a late heartbeat is no matter here
    told: list[str] = []

    def follow() -> list[Lease]:
        return awaiting_end.begin(
            lambda: environments_in_use.take(store, RUN, [], "lee", above=0), told.append
        )

    with driver(location, *APART) as victim:
        with pytest.raises(InUse):
            follow()
        assert told == [], "it lives: nothing is waited for"
        victim.kill()
        victim.wait()
        until(lambda: not lives(store), "the end of its connection")
        [lease] = follow()
        [said] = told
        assert said.startswith("d@")
        assert " drove here and was not heard of for " in said
        note(store, "goes on", lease)
    assert audit(store.journal.read(RUN), store.journal.head(RUN)) == []


def test_two_processes_race_for_one_chain(location: Location, store: Store, url: str) -> None:
    """Both write with the same right; the rows are one chain without a gap."""
    begin(store)
    argv = [sys.executable, "-c", _RACER, str(location.directory), url]
    checkout = Path(__file__).parents[2]
    racers = [subprocess.Popen(argv, cwd=checkout) for _ in range(2)]
    assert [racer.wait() for racer in racers] == [0, 0]
    assert len(texts(store)) == 2 * 20 * 3
    assert audit(store.journal.read(RUN), store.journal.head(RUN)) == []


_RACER = """
import sys
from pathlib import Path
from state.events import NoteAdded
from state.stores.location import Location
with Location(Path(sys.argv[1]), sys.argv[2]).open() as store:
    for number in range(20):
        notes = [NoteAdded(f"{number}.{part}") for part in range(3)]
        store.journal.append("1123-k7f3", notes, operator="d", host="h", token=1)
"""


def test_a_holder_whose_connections_were_ended_holds_on(
    location: Location, store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert postgres_leases.BEAT < postgres_leases.GONE < postgres_leases.EXPIRY
    monkeypatch.setattr(postgres_leases, "GONE", 1000.0)  # its next heartbeat comes before that
    begin(store)
    lease = taken(store)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'runbook' and datname = current_database()"
        )
        before = connection.execute("select beat from runbook.leases").fetchone()
        other = Location(location.directory / "other", f"{url}?application_name=other")
        with other.open() as looking:
            assert isinstance(take(looking), Held)
        until(
            lambda: connection.execute("select beat from runbook.leases").fetchone() != before,
            "the next heartbeat",
        )
    assert not lease.lost()
    assert store.leases.held_by("run", RUN) is not None
