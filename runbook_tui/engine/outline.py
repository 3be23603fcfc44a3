"""A plan as the journal keeps it at the start of a run. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import runbook_tui
from runbook_tui.definition.plan import Plan, PlanGroup, PlanStep
from runbook_tui.engine.repository import Checkout
from runbook_tui.engine.values import MASK
from state.events import RunStarted
from state.json_value import Json
from state.run_state import EACH_ACTION, GROUP_ACTION


def started(plan: Plan, checkout: Checkout, base: str | None = None) -> RunStarted:
    """Return the first event of a run."""
    home = plan.home()
    return RunStarted(
        runbook=plan.runbook,
        file=plan.file,
        environment=plan.environment,
        protected=home.protected,
        parameters={
            name: MASK if one.secret else one.value for name, one in plan.parameters.items()
        },
        definition=hashes(plan.sources),
        steps=steps(plan),
        locks=locks(plan),
        cwd=str(checkout.root),
        program=runbook_tui.__version__,
        commit=checkout.commit,
        dirty=checkout.dirty,
        base=base,
    )


def hashes(sources: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of each file, line ends normalised."""
    return {
        name: hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
        for name, content in sources.items()
    }


def locks(plan: Plan) -> tuple[str, ...]:
    """Return the lock of every environment that the run uses, each once, in order of name.

    A runbook without environments locks nothing.
    """
    return tuple(sorted({one.lock for one in plan.environments.values() if one.lock}))


def steps(plan: Plan) -> tuple[Mapping[str, Json], ...]:
    """Return a line for each step, group and include, groups and includes before their steps."""
    includes = {one.id: one for one in plan.includes()}
    lines: dict[str, Mapping[str, Json]] = {}

    def put(item: PlanStep | PlanGroup) -> None:
        if item.id in lines:
            return
        if item.inside is not None:
            put(includes[item.inside])
        if isinstance(item, PlanGroup):
            lines[item.id] = _line(
                item, EACH_ACTION if item.each else GROUP_ACTION, (), item.inside
            )
            lines.update({one.id: _line(one, one.action, one.refs, item.id) for one in item.steps})
        else:
            lines[item.id] = _line(item, item.action, item.refs, item.inside)

    for phase in plan.phases:
        for item in phase.items:
            put(item)
    return tuple(lines.values())


def _line(
    item: PlanStep | PlanGroup, action: str, refs: tuple[str, ...], group: str | None = None
) -> Mapping[str, Json]:
    return {
        "id": item.id,
        "name": item.name,
        "phase": item.phase,
        "refs": list(refs),
        "action": action,
        "group": group,
    }
