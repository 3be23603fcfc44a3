"""Has the output of attempts that run on this machine shared, as their events are published."""

from __future__ import annotations

from collections.abc import Sequence

from state.events import AttemptEnded, AttemptIntended, AttemptVoided, Record
from state.protocols import Outputs
from state.run_state import RunState
from state.stores.store import Store


def take_up(store: Store, state: RunState) -> None:
    """Share what the attempts write that are open at the beginning of a session."""
    for _, attempt in state.open_attempts():
        if store.begun_here(attempt):
            store.outputs.follow(attempt.directory)


def follow(outputs: Outputs, state: RunState, records: Sequence[Record]) -> None:
    """Share what an intended attempt writes, until it has ended."""
    for record in records:
        if record.kind == AttemptIntended.kind:
            outputs.follow(str(record.data["directory"]))
        elif record.kind in (AttemptEnded.kind, AttemptVoided.kind):
            attempts = state.steps[str(record.data["step"])].attempts
            ended = next(one for one in attempts if one.number == record.data["number"])
            outputs.finish(ended.directory)
