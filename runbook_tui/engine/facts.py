"""What the driver knows of a run besides its record: time, and what it is busy with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """`now` is UTC as the journal writes it. `busy` are steps that are being looked at.

    `held`: the operator wants nothing new to start. `elsewhere` are steps whose open attempt
    another machine began.
    """

    now: str
    busy: frozenset[str] = frozenset()
    held: bool = False
    elsewhere: frozenset[str] = frozenset()
