"""What Launch shows before a run begins: each step's plan, and what the run needs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence

from runbook_tui.actions import registry
from runbook_tui.definition.plan import Plan, PlanStep
from runbook_tui.ui.backend import Check, PlanFound

_WILL = {"typed": "you type", "ask": "you confirm"}


def found(plan: Plan) -> Sequence[PlanFound]:
    """Return one line a step: what it would do, and whether it asks."""
    return [_line(plan, step) for step in plan.steps()]


def _line(plan: Plan, step: PlanStep) -> PlanFound:
    spec = registry.spec(step.action)
    rows = [(row.label, row.text) for row in spec.describe(step.options)]
    if step.action == "manual":
        will = "you do it"
    else:
        will = _WILL.get(step.confirm) or ("will change" if spec.changes else "only reads")
    return PlanFound(
        step=step.id,
        name=step.name,
        found=rows[0][1] if rows else "",
        will=will,
        asks=step.confirm != "none" or step.action == "manual",
        usual=step.usually,
        details=tuple(f"{label:<12}{words}" for label, words in rows[1:]),
    )


def checks(plan: Plan) -> Sequence[Check]:
    """Return whether the programs that the steps use are installed."""
    return list(_tools(plan))


def _tools(plan: Plan) -> Iterator[Check]:
    tools: dict[str, str] = {}
    for step in plan.steps():
        tools |= dict(registry.spec(step.action).tools(step.options))
    for program, package in sorted(tools.items()):
        if shutil.which(program):
            yield Check(program, "installed", "good")
        else:
            yield Check(program, "is not installed", "blocks", f"apt install {package}")
