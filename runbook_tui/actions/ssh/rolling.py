"""The order in which the hosts of a step are taken: batch after batch, until too many fail."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Final

from runbook_tui.actions.api import Host
from runbook_tui.actions.ssh.part import Part, State

AT_ONCE: Final = 32
"""Hosts that a step talks to at the same time."""


def size_of(batch: int | str | None, count: int, *, parallel: bool) -> int:
    """Return how many of `count` hosts make a batch; `batch` is a number or a share (`25%`)."""
    if parallel:
        return max(count, 1)
    if isinstance(batch, str) and batch.endswith("%"):
        return max(math.ceil(count * int(batch[:-1]) / 100), 1)
    return int(batch or 1)


class Rolling:
    """Takes hosts in batches. After more than `most` of them fail no further one is begun.

    `most` of None means that all are tried. `begins` is told each batch's number and how many
    there are.
    """

    def __init__(self, size: int, most: int | None, begins: Callable[[int, int], None]) -> None:
        self._size = size
        self._most = most
        self._begins = begins
        self._bad = 0
        self._lock = Lock()

    def run(self, hosts: Sequence[Host], one: Callable[[Host], Part]) -> list[Part]:
        """Return each host's part, in order; what was not begun is untried."""
        batches = [hosts[at : at + self._size] for at in range(0, len(hosts), self._size)]
        parts: list[Part] = []
        for number, batch in enumerate(batches, 1):
            if not self._over():
                self._begins(number, len(batches))
            with ThreadPoolExecutor(min(len(batch), AT_ONCE)) as pool:
                parts += pool.map(lambda host: self._one(host, one), batch)
        return parts

    def _one(self, host: Host, one: Callable[[Host], Part]) -> Part:
        if self._over():
            return Part(host.name, State.UNTRIED, acted=False)
        part = one(host)
        if part.state in (State.FAILED, State.UNKNOWN):
            with self._lock:
                self._bad += 1
        return part

    def _over(self) -> bool:
        with self._lock:
            return self._most is not None and self._bad > self._most
