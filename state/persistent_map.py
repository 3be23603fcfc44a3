"""An immutable mapping from text whose changed copies share all that did not change.

A run of 10,000 steps gets a new state with every event: copying a plain dict each time would cost
more than all else. Keys are spread over buckets by hash; a change copies one bucket and the spine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Generic, TypeVar

V = TypeVar("V")

_BUCKETS: Final = 128


class PersistentMap(Mapping[str, V], Generic[V]):
    """Iterates in the order in which keys came in; a replaced value keeps its key's place."""

    __slots__ = ("_buckets", "order")

    order: tuple[str, ...]
    """The keys in order: the very same object in all copies that have the same keys."""

    def __init__(self, items: Mapping[str, V] | None = None) -> None:
        buckets: list[dict[str, V]] = [{} for _ in range(_BUCKETS)]
        for key, value in (items or {}).items():
            buckets[hash(key) % _BUCKETS][key] = value
        self._buckets: tuple[dict[str, V], ...] = tuple(buckets)
        self.order = tuple(items or ())

    def __getitem__(self, key: str) -> V:
        return self._buckets[hash(key) % _BUCKETS][key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.order)

    def __len__(self) -> int:
        return len(self.order)

    def __repr__(self) -> str:
        return f"PersistentMap({dict(self)!r})"

    def updated(self, changes: Mapping[str, V]) -> PersistentMap[V]:
        """Return a copy with `changes` made; new keys come last."""
        if not changes:
            return self
        spine = list(self._buckets)
        added: list[str] = []
        for key, value in changes.items():
            place = hash(key) % _BUCKETS
            bucket = spine[place]
            if key not in bucket:
                added.append(key)
            spine[place] = {**bucket, key: value}
        copy = type(self).__new__(type(self))
        copy._buckets = tuple(spine)
        copy.order = (*self.order, *added) if added else self.order
        return copy
