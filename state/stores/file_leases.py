"""Leases on one machine: locks of the kernel, in files under the state directory."""

from __future__ import annotations

from pathlib import Path

from state.holders import Held, Holder, Kind
from state.stores import locks
from state.stores.locks import Lock


class FileLeases:
    """The `Leases` of a state directory. All methods raise OSError when a file cannot be used."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def acquire(
        self, kind: Kind, name: str, *, run: str, operator: str, since: str, above: int = 0
    ) -> Lock | Held:
        """Take a lease without waiting, or say who holds it."""
        return locks.acquire(
            self._directory, kind, name, run=run, operator=operator, since=since, above=above
        )

    def take_over(
        self, kind: Kind, name: str, *, run: str, operator: str, since: str, above: int = 0
    ) -> Lock | Held:
        """Take a lease if its holder is gone: no token can fence one who lives."""
        return self.acquire(kind, name, run=run, operator=operator, since=since, above=above)

    def held_by(self, kind: Kind, name: str) -> Held | None:
        """Look, without taking it, whether somebody holds a lease."""
        return locks.held_by(self._directory, kind, name)

    def last_holder(self, kind: Kind, name: str) -> Holder | None:
        """Return who holds, or last held, a lease."""
        return locks.read_holder(self._directory, kind, name)
