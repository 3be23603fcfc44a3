"""Waiting a few seconds for the place of a driver that may be dead, before it is said to be taken.

A program that was killed keeps its place in a shared journal until it was silent for long enough:
what is known there of another machine is only what it says, and when. Whoever comes in between
would be refused for a driver that is not there any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from runbook_tui.engine import clock
from runbook_tui.engine.environments_in_use import InUse, who
from state.holders import Held

Begun = TypeVar("Begun")

AT_MOST: Final = 20.0
"""Seconds after which it is given up, also when one driver after another falls silent."""

_LOOK_EVERY: Final = 0.25


def begin(call: Callable[[], Begun], say: Callable[[str], None]) -> Begun:
    """Return what a call returns that takes leases, once silent holders had their time.

    `say` is told once for whom it waits. Raises InUse when the holder lives, and what `call` does.
    """
    until = time.monotonic() + AT_MOST
    told = False
    while True:
        try:
            return call()
        except InUse as problem:
            held = problem.held
            if held is None or held.left is None or time.monotonic() > until:
                raise
            if not told:
                say(sentence(held))
                told = True
            time.sleep(min(max(held.left, 0.0), _LOOK_EVERY) + 0.01)


def sentence(held: Held) -> str:
    """Return for whom is waited, and until when."""
    seen, left = held.seen or 0.0, held.left or 0.0
    until = clock.utc(left)[11:19]
    return (
        f"{who(held)} drove here and was not heard of for {seen:.0f} s. Waiting {left:.0f} s more, "
        f"until {until}Z."
    )
