"""What somebody who does not drive tells the driver of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from state.json_value import Json

KINDS: Final = frozenset({"note", "stop", "approve", "deny", "take_over", "hand_over"})
DAMAGED: Final = "damaged"
"""The kind of a message that cannot be read any more: it is taken out, and obeyed by nobody."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `id` is unique, `at` is UTC, ISO 8601, Z.

    `sender` and `host` are what the sender says. `identity` is the role that the database knows the
    sender by, which nobody can make up; empty on SQLite.
    """

    id: str
    run: str
    kind: str
    data: Mapping[str, Json]
    sender: str
    host: str
    at: str
    identity: str = ""
