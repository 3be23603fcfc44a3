"""Named points at which drills and tests cut the program off: RUNBOOK_FAULT=POINT[@STEP]:HOW.

HOW is `kill` (SIGKILL), `stop` (SIGSTOP) or `error`. Several are written with commas between them.
Off unless the variable is set.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Final

VARIABLE: Final = "RUNBOOK_FAULT"
WAYS: Final = ("kill", "stop", "error")


class FaultInjected(Exception):  # noqa: N818 - it reads as what happened
    """A fault point with `error` was reached."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A point, the step at which it counts (None: any), and what happens there."""

    point: str
    step: str | None
    way: str


def parse(text: str) -> tuple[Fault, ...]:
    """Return what RUNBOOK_FAULT says. ValueError, with a sentence, when that is nothing."""
    return tuple(_one(part) for part in text.split(","))


def _one(text: str) -> Fault:
    place, colon, way = text.rpartition(":")
    point, at, step = place.partition("@")
    if not colon or not point or way not in WAYS or (at and not step):
        raise ValueError(
            f"{VARIABLE}={text} is no fault. Write POINT[@STEP]:HOW, with kill, stop or error for "
            "HOW, or unset the variable."
        )
    return Fault(point, step or None, way)


def wanted() -> str | None:
    """Return the fault that the environment asks for, to be handed to workers."""
    return os.environ.get(VARIABLE) or None


def reach(point: str, step: str | None = None, *, fault: str | None = None) -> None:
    """Cut this process off here if that is wanted by `fault`, or else by the environment.

    Raises FaultInjected for `error`, ValueError for a fault that makes no sense.
    """
    text = fault or wanted()
    if text is None:
        return
    for asked in parse(text):
        if asked.point == point and asked.step in (None, step):
            _cut_off(asked)


def _cut_off(asked: Fault) -> None:
    if asked.way == "error":
        where = asked.point if asked.step is None else f"{asked.point}@{asked.step}"
        raise FaultInjected(f"The fault {where}:error was injected at {asked.point}.")
    os.kill(os.getpid(), signal.SIGKILL if asked.way == "kill" else signal.SIGSTOP)
