"""The steps of a run in order, and what of them matters now, without a look at each.

A run of 10,000 steps changes one step at a time: what is known of the others is carried on from
version to version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from state.persistent_map import PersistentMap
from state.status import StepStatus

if TYPE_CHECKING:
    from state.run_state import StepState

SETTLED: Final = frozenset({StepStatus.SUCCEEDED, StepStatus.SKIPPED})
_QUIET: Final = frozenset({*SETTLED, StepStatus.PENDING})


class Steps(PersistentMap["StepState"]):
    """Steps by id. `settled`: so many of the first have succeeded or were skipped."""

    __slots__ = ("_places", "_stirred", "settled")

    settled: int

    def __init__(self, items: Mapping[str, StepState] | None = None) -> None:
        super().__init__(items)
        self._places = {id_: place for place, id_ in enumerate(self.order)}
        self._stirred = frozenset(id_ for id_, step in (items or {}).items() if _stirs(step))
        self.settled = self._settled_from(0)

    def updated(self, changes: Mapping[str, StepState]) -> Steps:
        """Return a copy with `changes` made; new steps come last."""
        if not changes:
            return self
        copy = super().updated(changes)
        if not isinstance(copy, Steps):
            raise TypeError("a map's copy is of its own kind")
        if copy.order is not self.order:
            return Steps(copy)
        copy._places = self._places
        copy._stirred = self._stirred - changes.keys()
        copy._stirred |= {id_ for id_, step in changes.items() if _stirs(step)}
        undone = [self._places[id_] for id_, step in changes.items() if step.status not in SETTLED]
        copy.settled = copy._settled_from(min([self.settled, *undone]))
        return copy

    def stirred(self) -> list[StepState]:
        """Return the steps that somebody acts on or decided about, or that went wrong, in order.

        All others are pending, have succeeded or were skipped, and no attempt or answer is open.
        """
        return [self[id_] for id_ in sorted(self._stirred, key=self._places.__getitem__)]

    def _settled_from(self, place: int) -> int:
        while place < len(self.order) and self[self.order[place]].status in SETTLED:
            place += 1
        return place


def _stirs(step: StepState) -> bool:
    return step.status not in _QUIET or step.answer is not None or step.open_attempt is not None
