"""What is to be done with an attempt whose outcome is not journaled. Pure: the resume table.

Rows are tried in order and the first that fits wins. What needs no attempt directory (nothing
intended, an open question, a `wait`, a retry's delay) is in the record itself, and `decide` goes on
from it. After `LOOK` the verdict of the probe and of `verify` decides, by the tables of `judging`
and `failing`.

The same table judges a worker that dies while its driver lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Row(Enum):
    """What to do with an attempt without an outcome."""

    ADOPT = "adopt the result"
    ELSEWHERE = "another machine's: wait, and ask whether it is dead"
    ATTACH = "re-attach and wait"
    VOID = "it never acted: run it"
    RERUN = "read-only: run again"
    LOOK = "look what is there"


@dataclass(frozen=True, slots=True)
class Found:
    """What the attempt directory and the kernel say.

    `claim` is `worker`, `void` or None; `result` is `valid`, `corrupt` or `none`. `alive`: its lock
    is held (a removed one, too) or a recorded process lives. `begun_here` tells that this machine
    intended it.
    """

    begun_here: bool
    directory: bool
    claim: str | None
    alive: bool
    result: str
    reads: bool


def row(found: Found) -> Row:
    """Return the row of the resume table that fits."""
    if found.result == "valid":
        return Row.ADOPT
    if not found.begun_here:
        return Row.ELSEWHERE
    if found.alive:
        return Row.ATTACH
    if found.directory and (found.claim is None or found.claim == "void"):
        return Row.VOID
    if found.reads:
        return Row.RERUN
    return Row.LOOK
