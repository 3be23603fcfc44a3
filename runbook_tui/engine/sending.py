"""Telling the driver of a run something from outside, and hearing what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runbook_tui.engine import environments_in_use
from state import payloads
from state.events import MessageTaken
from state.json_value import Json
from state.messages import Message
from state.stores.store import Store

HEARD_WITHIN: Final = 10.0
"""Seconds that a driver may take to take a message: it looks twice a second."""

_LOOK_EVERY: Final = 0.5


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: what they call themselves, and where they are."""

    name: str
    host: str


def send(
    store: Store, run: str, kind: str, data: Mapping[str, Json], sender: Sender
) -> tuple[Message, int]:
    """Put a message in a run's inbox; return it, and the number of the run's last event before.

    Raises StoreError.
    """
    head = store.journal.head(run)
    after = head.count if head is not None else 0
    return store.inbox.send(run, kind, data, sender=sender.name, host=sender.host), after


def driven(store: Store, run: str) -> bool:
    """Whether somebody drives the run now."""
    return store.leases.held_by("run", run) is not None


def heard(
    store: Store, message: Message, after: int, seconds: float = HEARD_WITHIN
) -> MessageTaken | None:
    """Wait until the driver has taken a message; None when it did not in time, or nobody drives."""
    until = time.monotonic() + seconds
    while True:
        alive = driven(store, message.run)
        found = _taken(store, message, after)
        if found is not None or not alive or time.monotonic() >= until:
            return found
        head = store.journal.head(message.run)
        store.news.wait(message.run, head.count if head else after, _LOOK_EVERY)


def take_back(store: Store, message: Message) -> None:
    """Take a message out again that nobody has taken."""
    store.inbox.done(message.run, (message.id,))


def _taken(store: Store, message: Message, after: int) -> MessageTaken | None:
    for record in store.journal.read(message.run, after):
        if record.kind == MessageTaken.kind and record.data.get("id") == message.id:
            found = payloads.from_data(record.kind, record.data)
            return found if isinstance(found, MessageTaken) else None
    return None


def who_drives(store: Store, run: str) -> str:
    """Return who drives a run now, in words."""
    held = store.leases.held_by("run", run)
    return environments_in_use.who(held) if held is not None else "nobody"
