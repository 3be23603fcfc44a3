"""A run's plan with the hosts and items that its journal has fixed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runbook_tui.definition.instances import expand
from runbook_tui.definition.plan import FixedList, Instance, Plan, PlanStep
from state.events import InstancesFixed
from state.run_state import RunState


def of(plan: Plan, state: RunState) -> Plan:
    """Return a plan in which each `each` that has its list is repeated; the same plan if none has.

    A plan that is expanded already stays as it is.
    """
    if not state.instances:
        return plan
    return expand(plan, {id_: _list(fixed) for id_, fixed in state.instances.items()})


def _list(fixed: InstancesFixed) -> FixedList:
    pairs = zip(fixed.names, fixed.values, strict=True)
    instances = tuple(Instance(name, value) for name, value in pairs)
    return FixedList(instances, fixed.batch, fixed.max_failures)


class LivePlan:
    """The plan of a run as it stands now; expanded anew only when another list was fixed."""

    def __init__(self, plan: Plan, state: Callable[[], RunState]) -> None:
        self._written = plan
        self._state = state
        self._known = -1
        self._now = plan
        self._steps: Mapping[str, PlanStep] = {}

    @property
    def now(self) -> Plan:
        """The plan with all lists that are fixed."""
        state = self._state()
        if len(state.instances) != self._known:
            self._known = len(state.instances)
            self._now = of(self._written, state)
            now = self._now
            self._steps = {one.id: one for one in (*now.steps(), *now.heads(), *now.includes())}
        return self._now

    @property
    def steps(self) -> Mapping[str, PlanStep]:
        """Its steps by id, and the lines of its `each` groups and of its includes."""
        _ = self.now
        return self._steps
