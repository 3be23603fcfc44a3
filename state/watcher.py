"""Who looks on at a run that somebody else drives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody who watches. `identity` is the database role, which nobody can make up.

    `operator` and `host` are what their program says.
    """

    operator: str
    host: str
    identity: str
