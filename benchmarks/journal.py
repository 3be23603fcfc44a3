"""Adding an event to the journal, beside a bare commit of as many bytes on the same disk."""

from __future__ import annotations

from contextlib import closing
from typing import Final

from benchmarks.floor import database, insert
from benchmarks.measure import Figure, Limit, Place, alternate, wall
from state.codec import record_line
from state.events import AttemptEnded, RunStarted
from state.stores.sqlite import open_journal

EVENTS: Final = 500

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


def measure(place: Place) -> list[Figure]:
    """Return the figure of one event."""
    folder = place.folder("journal")
    events = place.size(EVENTS, 50)
    with open_journal(folder) as journal, closing(database(folder / "bare.db")) as bare:
        journal.create_run(_RUN, _STARTED, operator="bench", host="here", token=1, sources={})

        def add() -> None:
            journal.append(_RUN, [_ENDED], operator="bench", host="here", token=1)

        add()
        row = record_line(journal.read(_RUN, 1)[0])
        ours, theirs = alternate(
            [
                lambda: wall(add, events),
                lambda: wall(lambda: insert(bare, row), events),
            ],
            place.rounds * 2,
        )
    return [
        Figure(
            "Adding an event to the journal",
            "ms",
            ours,
            "a commit of the same bytes to bare SQLite, `synchronous=FULL`",
            theirs,
            Limit("ratio", 1.5),
        )
    ]
