"""The shared journal: an event, a watcher's wait for it, and taking over from a killed driver."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

import psycopg

from benchmarks.measure import Figure, Limit, Place, alternate, wall
from state.events import AttemptEnded, RunStarted
from state.holders import Held
from state.stores.location import Location
from state.stores.postgres_leases import BEAT
from state.stores.store import Store
from tests.harness import postgres

EVENTS: Final = 300
TAKE_OVERS: Final = 5
WATCHED: Final = 30

_RUN: Final = "1123-k7f3"
_STARTED: Final = RunStarted(
    runbook="Bench",
    file="bench.yaml",
    environment="",
    protected=False,
    parameters={},
    definition={},
    steps=({"id": "s", "name": "s", "phase": "p", "refs": [], "action": "run", "group": None},),
    locks=(),
    cwd="/",
    program="bench",
)
_ENDED: Final = AttemptEnded(
    step="s",
    number=1,
    status="succeeded",
    exit_code=0,
    evidence=({"kind": "exit", "summary": "exit code 0: true", "data": {"code": 0}},),
    effect="done",
    proof="machine",
)
_APART: Final = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Words before a driver whose process cannot be seen from here: it takes its silence to tell."""

_DRIVER: Final = """
import sys
from pathlib import Path
from state.stores.location import Location
with Location(Path(sys.argv[1]), sys.argv[2]).open() as store:
    lease = store.leases.acquire("run", sys.argv[3], run=sys.argv[3], operator="bench", since="")
    print(lease.token, flush=True)
    sys.stdin.read()
"""


def measure(place: Place) -> list[Figure]:
    """Return the figures of a journal on a PostgreSQL of this machine."""
    folder = place.folder("shared")
    with postgres.running() as server:
        here = Location(folder / "here", server.create())
        with here.open() as store:
            store.journal.create_run(
                _RUN, _STARTED, operator="bench", host="here", token=1, sources={}
            )
            figures = [_event(place, store, here), _watched(place, store, folder, here.url or "")]
        figures.append(_taken_over(place, here))
    place.notes.append("The PostgreSQL of the shared journal ran here, with fsync off.")
    return figures


def _event(place: Place, store: Store, here: Location) -> Figure:
    events = place.size(EVENTS, 50)

    def add() -> None:
        store.journal.append(_RUN, [_ENDED], operator="bench", host="here", token=1)

    with psycopg.connect(here.url or "", autocommit=True) as bare:
        bare.execute("CREATE TABLE bare (id bigserial PRIMARY KEY, line text)")
        add()
        line = str(store.journal.read(_RUN, 1)[0].data)

        def insert() -> None:
            bare.execute("INSERT INTO bare (line) VALUES (%s)", (line,))

        ours, theirs = alternate(
            [lambda: wall(add, events), lambda: wall(insert, events)], place.rounds
        )
    return Figure(
        "Adding an event to the shared journal",
        "ms",
        ours,
        "an insert of the same bytes into a bare table",
        theirs,
    )


def _watched(place: Place, store: Store, folder: Path, url: str) -> Figure:
    """From the call that adds an event to the moment another process's watcher has read it."""
    argv = [sys.executable, "-c", _WATCHER, str(folder / "watcher"), url, _RUN]
    known = len(store.journal.read(_RUN))
    waits = []
    with subprocess.Popen(
        [*argv, str(known)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as watcher:
        if watcher.stdin is None or watcher.stdout is None:
            raise RuntimeError("no pipes")
        watcher.stdout.readline()
        for _ in range(place.size(WATCHED, 5)):
            time.sleep(0.05)  # it waits for news by now, not for us
            began = time.monotonic()
            store.journal.append(_RUN, [_ENDED], operator="bench", host="here", token=1)
            seen = float(watcher.stdout.readline())  # the same clock in all processes
            waits.append((seen - began) * 1000)
        watcher.stdin.close()
    return Figure(
        "From an event to a watcher that has read it, worst of all",
        "ms",
        max(waits),
        limit=Limit("value", 200),
        note=f"median {median(waits):.1f} ms",
    )


_WATCHER: Final = """
import sys, threading, time
from pathlib import Path
from state.stores.location import Location
with Location(Path(sys.argv[1]), sys.argv[2]).open() as store:
    run, known = sys.argv[3], int(sys.argv[4])
    store.news.wait(run, known, 0)
    print("ready", flush=True)
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    while not over.is_set():
        store.presence.beat(run, operator="bench", host="here")  # far more often than a screen does
        if store.news.wait(run, known, 1):
            known += len(store.journal.read(run, known))
            print(time.monotonic(), flush=True)
"""


def _taken_over(place: Place, here: Location) -> Figure:
    """From the SIGKILL of a driver to the moment another one holds its lease."""
    times = []
    with here.open() as store:
        for number in range(place.size(TAKE_OVERS, 1)):
            with _driver(here, f"run-{number}") as driver:
                # At another moment between two heartbeats each time.
                threading.Event().wait(BEAT * (1 + number / TAKE_OVERS))
                driver.kill()
                began = time.monotonic()
                while isinstance(_taken(store, f"run-{number}"), Held):
                    time.sleep(0.02)
                times.append(time.monotonic() - began)
    return Figure(
        "Taking over from a driver that was killed on another machine, worst of all",
        "s",
        max(times),
        f"two heartbeats of {BEAT:.0f} s",
        2 * BEAT,
        Limit("ratio", 1),
    )


def _taken(store: Store, run: str) -> object:
    return store.leases.acquire("run", run, run=run, operator="bench", since="")


@contextmanager
def _driver(here: Location, run: str) -> Iterator[subprocess.Popen[str]]:
    argv = [*_APART, sys.executable, "-c", _DRIVER, str(here.directory), here.url or "", run]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:
        if driver.stdout is None or not driver.stdout.readline():
            raise RuntimeError("the driver did not begin")
        yield driver
