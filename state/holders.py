"""Who holds a lease, as both stores say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["environment", "run"]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds, or last held, a lease. `since` is UTC, ISO 8601, Z; `token` counts acquisitions.

    `machine` is the machine's id (see `stores.machine`), empty where an older program wrote it;
    `role` is the database role, empty on SQLite.
    """

    run: str
    operator: str
    host: str
    pid: int
    since: str
    token: int
    machine: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """The lease is taken. `holder` is None when the holder could not be read.

    `seen` is how many seconds ago the holder was heard of; None where the kernel vouches for it.
    `left` is in how many seconds it may be followed if it stays as silent; None while it lives.
    """

    name: str
    holder: Holder | None
    seen: float | None = None
    left: float | None = None
