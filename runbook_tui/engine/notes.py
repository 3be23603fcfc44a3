"""Notes on a run that nobody drives."""

from __future__ import annotations

import socket

from runbook_tui.engine import environments_in_use
from state.events import NoteAdded
from state.run_state import RunState
from state.stores.store import Store


def add(store: Store, state: RunState, operator: str, text: str, step: str | None) -> None:
    """Journal a note. Raises InUse while somebody drives the run, StoreError."""
    taken = environments_in_use.take(store, state.run, (), operator, state.token)
    try:
        store.journal.append(
            state.run,
            [NoteAdded(text, step)],
            operator=operator,
            host=socket.gethostname().partition(".")[0],
            token=max(lock.token for lock in taken),
        )
    finally:
        environments_in_use.release(taken)
