"""Ends processes: asked first, told then, killed at last, and says who is still there."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from runbook_tui import proc
from state.stores.machine import ProcessMark

FIRM = 5.0
"""Seconds that a killed process gets to disappear (it may hang in the kernel)."""

_LOOK_AGAIN = 0.25
"""Longest time in seconds between two looks at who is left."""


def stop(
    find: Callable[[], list[ProcessMark]], graces: tuple[float, float], firm: float = FIRM
) -> list[ProcessMark]:
    """Interrupt, then terminate, then kill all that `find` returns; return who is left.

    `graces` are the seconds after the interrupt and after the terminate. Processes that come up
    in the meantime (a trap that tidies up) are left alone until the next stage. Those of other
    users may be beyond our reach; they are among who is left.
    """
    stages = ((signal.SIGINT, graces[0]), (signal.SIGTERM, graces[1]), (signal.SIGKILL, firm))
    left = find()
    for number, grace in stages:
        deadline = time.monotonic() + grace
        _signal(left, number)
        while left and (remaining := deadline - time.monotonic()) > 0:
            _wait_for_one(left, min(remaining, _LOOK_AGAIN))
            left = find()
            if number is signal.SIGKILL:
                _signal(left, number)
    return left


def _signal(processes: list[ProcessMark], number: signal.Signals) -> None:
    for process in processes:
        with suppress(PermissionError):
            proc.send(process, number)


def _wait_for_one(processes: list[ProcessMark], seconds: float) -> None:
    """Wait until one of the processes has ended, at most so long."""
    poll = select.poll()
    descriptors = []
    try:
        for process in processes:
            with suppress(ProcessLookupError):
                descriptors.append(os.pidfd_open(process.pid))
                poll.register(descriptors[-1], select.POLLIN)
        poll.poll(seconds * 1000)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
