"""Several short calls at the same time, none of which may hold us for longer than agreed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def results(calls: Sequence[Callable[[], T]], seconds: float) -> list[T | None]:
    """Return what each call returned, in order; None for one that took longer than `seconds`.

    A call that takes longer is left behind in a thread that does not keep the process alive. What
    a call raises is raised here.
    """
    found: list[T | None] = [None] * len(calls)
    raised: list[Exception] = []

    def one(place: int) -> None:
        try:
            found[place] = calls[place]()
        except Exception as fault:  # noqa: BLE001 - it is raised below, in the caller's thread
            raised.append(fault)

    threads = [
        threading.Thread(target=one, args=(place,), daemon=True) for place in range(len(calls))
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if raised:
        raise raised[0]
    return list(found)
