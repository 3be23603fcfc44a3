"""The inbox of a run as its driver sees it: looked at twice a second, each message given once."""

from __future__ import annotations

import time
from typing import Final

from state.messages import Message
from state.protocols import Inbox
from state.run_state import RunState

LOOK_EVERY: Final = 0.5
"""Seconds between two looks."""


class Mail:
    """Hands out the messages that the run has not taken. Not thread-safe: the driver's alone."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._look_at = 0.0

    def new(self, state: RunState) -> list[Message]:
        """Return the messages that came, oldest first; what was taken before is cleared away.

        Raises StoreError.
        """
        now = time.monotonic()
        if now < self._look_at:
            return []
        self._look_at = now + LOOK_EVERY
        pending = self._inbox.pending(state.run)
        taken = [one.id for one in pending if one.id in state.messages]
        if taken:
            # Its driver died between the journal and here.
            self._inbox.done(state.run, taken)
        return [one for one in pending if one.id not in state.messages]

    def done(self, message: Message) -> None:
        """Clear a message away that is in the journal now. Raises StoreError."""
        self._inbox.done(message.run, (message.id,))
