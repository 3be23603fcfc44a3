"""What a question carries for the screen and for headless lines: rows of text, no secret."""

from __future__ import annotations

from collections.abc import Mapping

from runbook_tui.actions import registry
from runbook_tui.definition.plan import Plan, PlanStep
from runbook_tui.engine import jobs, manuals
from runbook_tui.engine.judging import LOOKED
from runbook_tui.engine.rollbacks import host_by_host
from runbook_tui.engine.values import Values
from state.json_value import Json
from state.run_state import RunState


def rows(step: PlanStep, values: Values) -> list[list[str]]:
    """Return what the step will do, as label and text."""
    act = jobs.act_of(step)
    spec, options = registry.spec(act.action), jobs.shown(act, values)
    described = spec.describe(host_by_host(spec, options, values.environment))
    return [[row.label, row.text] for row in described]


def before(step: PlanStep, values: Values) -> Mapping[str, Json]:
    """Return what a confirmation shows."""
    shown: dict[str, Json] = {"rows": rows(step, values)}
    if step.no_return is not None:
        shown["no_return"] = step.no_return
    shown["undo"] = step.undo is not None
    if step.undoes is not None:
        shown["undoes"] = step.undoes
    return shown


def manual(step: PlanStep, values: Values) -> Mapping[str, Json]:
    """Return what a `manual` step shows and asks for."""
    filled = jobs.shown(jobs.act_of(step), values)
    return {
        "text": str(filled.get("text", "")),
        "choices": {
            name: {"label": choice.label, "then": choice.then, "reason": choice.reason}
            for name, choice in manuals.offered(step).items()
        },
        "record": {
            name: {"prompt": field.prompt, "pattern": field.pattern, "optional": field.optional}
            for name, field in manuals.record(step).items()
        },
    }


def after(plan: Plan, step: PlanStep, state: RunState, values: Values) -> Mapping[str, Json]:
    """Return what a failure's question shows: why, what is there and what not, the help."""
    stands = state.steps[step.id]
    last = stands.last
    shown: dict[str, Json] = {
        "reason": stands.reason,
        "tries": len(stands.attempts),
        "help": jobs.help_text(step, values),
    }
    if last is not None:
        shown |= {"exit_code": last.exit_code, "verdict": last.verdict, "cause": last.cause}
        shown |= {} if last.undo else _hosts(step, last.detail)
        shown |= {name: last.detail[name] for name in LOOKED if name in last.detail}
    if step.undo is not None:
        shown["way_back"] = _way_back(step, values)
    beyond = [f"{one.name}: {one.no_return}" for one in no_returns(plan, state)]
    if beyond:
        shown["no_return"] = "; ".join(beyond)
    return shown


def _hosts(step: PlanStep, detail: Mapping[str, Json]) -> dict[str, Json]:
    """Return what a new try does of a step over hosts, if it was done on some of them.

    `left` are first those that did not end well, then the last `waiting` ones, not begun yet.
    `records`: a new try first reads what the one before left of itself on a host.
    """
    if step.action not in registry.kinds():
        return {}
    spec = registry.spec(step.action)
    records: dict[str, Json] = {}
    if spec.records and spec.probes_with(step.options):
        records = {"records": True}
    return records | _left(detail)


def _left(detail: Mapping[str, Json]) -> dict[str, Json]:
    told = detail.get("hosts")
    if not isinstance(told, Mapping):
        return {}
    states = {host: one.get("state") for host, one in told.items() if isinstance(one, Mapping)}
    waiting = [host for host, state in states.items() if state == "waiting"]
    bad = [host for host, state in states.items() if state not in ("done", "waiting")]
    done = len(states) - len(bad) - len(waiting)
    if not done:
        return {}
    return {"left": [*bad, *waiting], "waiting": len(waiting), "done": done}


def _way_back(step: PlanStep, values: Values) -> str:
    """Return in a few words what takes the step back."""
    act = jobs.act_of(step, undo=True)
    spec, options = registry.spec(act.action), jobs.shown(act, values)
    rows = spec.describe(options)
    if rows and spec.removes(options):
        return f"{rows[0].label} {rows[0].text}"
    return rows[0].text if rows else act.action


def no_returns(plan: Plan, state: RunState) -> list[PlanStep]:
    """Return the begun steps from which on a rollback is not complete."""
    return [
        step
        for step in plan.steps()
        if step.no_return is not None and state.steps[step.id].attempts
    ]
