"""Who drives where somebody else wants to, in the words of the screens."""

from __future__ import annotations

from dataclasses import replace

from runbook_tui.engine import environments_in_use
from runbook_tui.ui.backend import Driven, Standing
from state import fold
from state.errors import CodecError, FoldError
from state.holders import Held
from state.run_state import RunState
from state.stores.store import Store


def driven_by(held: Held | None) -> Driven | None:
    """Return who holds a lease; None when nobody does."""
    if held is None:
        return None
    holder = held.holder
    return Driven(
        environments_in_use.who(held),
        holder.run if holder is not None else "",
        holder.since if holder is not None else "",
        environments_in_use.seen(held),
        place=held.name,
    )


def in_detail(store: Store, by: Driven | None) -> Driven | None:
    """Return the same with what they drive, and how far it is. Raises StoreError."""
    if by is None or not by.run:
        return by
    try:
        records = store.journal.read(by.run)
        state = fold.fold(records) if records else None
    except (CodecError, FoldError):
        return by  # its record is not intact: that is said where somebody reads it
    if state is None:
        return by
    return replace(by, runbook=state.started.runbook, step=_progress(state))


def _progress(state: RunState) -> str:
    steps = [stands for stands in state.steps.values() if not stands.is_group]
    done = sum(stands.done for stands in steps)
    return f"step {min(done + 1, len(steps))} of {len(steps)}"


def standing(store: Store, place: str) -> Standing:
    """Return whether somebody drives in a place, or left something there. Raises StoreError."""
    held = store.leases.held_by("environment", place)
    if held is not None:
        return Standing(driven_by(held))
    left = environments_in_use.unresolved(store, "", place)
    return Standing(None, f"{left.sentence} {left.advice}" if left is not None else "")
