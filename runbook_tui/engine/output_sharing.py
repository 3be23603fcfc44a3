"""Has the output of attempts that run on this machine shared, as their events are published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from state.events import AttemptEnded, AttemptIntended, AttemptVoided, Record
from state.protocols import Outputs
from state.run_state import RunState
from state.stores.attempt_dir import AttemptDir
from state.stores.store import Store


def take_up(store: Store, state: RunState) -> None:
    """Share what the attempts write that are open at the beginning of a session, and what an
    earlier one left behind that was killed.
    """
    for _, attempt in state.open_attempts():
        if store.begun_here(attempt):
            store.outputs.follow(attempt.directory)
    for left in _left_behind(store, state) if store.shared else ():
        store.outputs.follow(left)
        store.outputs.finish(left)


def _left_behind(store: Store, state: RunState) -> Iterator[str]:
    """Yield the attempts that ended here and whose end no other machine can read."""
    for step in state.steps.values():
        for attempt in step.attempts:
            directory = AttemptDir(store.directory / attempt.directory)
            ended = attempt is not step.open_attempt and store.begun_here(attempt)
            if ended and not directory.is_shared() and directory.result_bytes() is not None:
                yield attempt.directory


def follow(outputs: Outputs, state: RunState, records: Sequence[Record]) -> None:
    """Share what an intended attempt writes, until it has ended."""
    for record in records:
        if record.kind == AttemptIntended.kind:
            outputs.follow(str(record.data["directory"]))
        elif record.kind in (AttemptEnded.kind, AttemptVoided.kind):
            attempts = state.steps[str(record.data["step"])].attempts
            ended = next(one for one in attempts if one.number == record.data["number"])
            outputs.finish(ended.directory)
