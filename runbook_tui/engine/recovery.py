"""What is to be done with an attempt whose outcome is not journaled. Pure: the resume table.

Rows are tried in order and the first that fits wins. What needs no attempt directory (nothing
intended, an open question, a `wait`, a retry's delay) is in the record itself, and `decide` goes on
from it. After `LOOK` a second table takes the verdict of the probe and of `verify`.

The same table judges a worker that dies while its driver lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from state.status import Verdict


class Row(Enum):
    """What to do with an attempt without an outcome."""

    ADOPT = "adopt the result"
    ELSEWHERE = "another machine's: ask"
    ATTACH = "re-attach and wait"
    VOID = "it never acted: run it"
    RERUN = "read-only: run again"
    LOOK = "look what is there"


class After(Enum):
    """What to do once a look at the effect was had."""

    SUCCEED = "record success, adopted"
    AGAIN = "run again, after its confirmation"
    PARTIAL = "show what is there and ask"
    UNKNOWN = "ask"
    WAIT = "look again: it still runs elsewhere"


@dataclass(frozen=True, slots=True)
class Found:
    """What the attempt directory and the kernel say.

    `claim` is `worker`, `void` or None; `result` is `valid`, `corrupt` or `none`. `alive`: its lock
    is held or a recorded process lives. `begun_here` tells that this machine intended it.
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


def after_look(verdict: Verdict, *, ours: bool) -> After:
    """Return what a look means for an attempt that left no result.

    `ours` is false when the effect was there before the first attempt and bears no mark of this
    run: then nobody can tell whether this attempt did anything.
    """
    if verdict is Verdict.PRESENT:
        return After.SUCCEED if ours else After.UNKNOWN
    if verdict is Verdict.ABSENT:
        return After.AGAIN
    if verdict is Verdict.PARTIAL:
        return After.PARTIAL
    return After.WAIT if verdict is Verdict.RUNNING else After.UNKNOWN
