"""Notes of people who do not drive: through the inbox while somebody does, else by themselves."""

from __future__ import annotations

from runbook_tui.definition.problems import UsageProblem
from runbook_tui.engine import environments_in_use, messages, sending
from runbook_tui.engine.environments_in_use import InUse
from runbook_tui.engine.sending import Sender
from state.events import NoteAdded
from state.run_state import RunState
from state.stores.store import Store


def write(store: Store, state: RunState, sender: Sender, text: str, step: str | None) -> None:
    """Journal a note; a driver that takes no messages keeps it in the inbox.

    Raises InUse when drivers come and go all the time, UsageProblem when it is refused, StoreError.
    """
    for last in (False, False, True):
        if sending.driven(store, state.run):
            data = {"text": text, "step": step}
            message, after = sending.send(store, state.run, messages.NOTE, data, sender)
            taken = sending.heard(store, message, after)
            if taken is not None and taken.refused:
                raise UsageProblem(f"It was not noted: {taken.refused}", "")
            if taken is not None or sending.driven(store, state.run):
                return
            # The driver has gone, perhaps between taking it and saying so: never twice.
            sending.take_back(store, message)
            if sending.heard(store, message, after, 0.0) is not None:
                return
        try:
            _add(store, state, sender, text, step)
        except InUse:
            if last:
                raise
        else:
            return


def _add(store: Store, state: RunState, sender: Sender, text: str, step: str | None) -> None:
    """Journal a note on a run that nobody drives. Raises InUse, StoreError."""
    taken = environments_in_use.take(store, state.run, (), sender.name, state.token)
    try:
        store.journal.append(
            state.run,
            [NoteAdded(text, step)],
            operator=sender.name,
            host=sender.host,
            token=max(lease.token for lease in taken),
        )
    finally:
        environments_in_use.release(taken)
