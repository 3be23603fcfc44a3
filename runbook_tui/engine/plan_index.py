"""What of a plan `decide` looks up: where each step stands, and which are items for a person. Pure.

Made once for a plan: a decision shall cost no more in a plan of 10,000 steps than in a small one.
"""

from __future__ import annotations

from itertools import chain, pairwise
from typing import Final

from runbook_tui.definition.plan import Plan, PlanGroup, PlanStep
from state.run_state import RunState

Item = PlanStep | PlanGroup

_MOST: Final = 4
"""Plans that are remembered: a driver and its screen look at one each, a rollback at two."""


class PlanIndex:
    """The parts of one plan.

    `ranks` are its steps and the lines of its `each` groups, by id, numbered in the order in which
    their wishes count. `manuals` are the items for a person.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.items: tuple[Item, ...] = tuple(item for one in plan.phases for item in one.items)
        acting = enumerate(chain(plan.steps(), plan.heads()))
        self.ranks = {step.id: (rank, step) for rank, step in acting}
        self.manuals = tuple(step for step in plan.steps() if step.action == "manual")
        self._places: dict[str, int] = {}
        for place, item in enumerate(self.items):
            inside = item.steps if isinstance(item, PlanGroup) else ()
            self._places |= dict.fromkeys((item.id, *(step.id for step in inside)), place)
        self._compared: tuple[tuple[str, ...], bool] = ((), False)

    def unsettled(self, state: RunState) -> tuple[Item, ...]:
        """Return the items from the first on that has a step neither succeeded nor skipped."""
        order, settled = state.steps.order, state.steps.settled
        if not self._has_order(order):
            return self.items
        return self.items[self._places[order[settled]] :] if settled < len(order) else ()

    def _has_order(self, order: tuple[str, ...]) -> bool:
        """Whether a run has its steps in the order of the items that they belong to."""
        known, same = self._compared
        if known is not order:
            places = [self._places.get(id_, -1) for id_ in order]
            same = -1 not in places and all(one <= next_ for one, next_ in pairwise(places))
            self._compared = order, same
        return same


_known: tuple[PlanIndex, ...] = ()


def of(plan: Plan) -> PlanIndex:
    """Return the index of a plan."""
    global _known
    for index in _known:
        if index.plan is plan:
            return index
    made = PlanIndex(plan)
    _known = (made, *_known[: _MOST - 1])
    return made
