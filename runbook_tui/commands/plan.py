"""`runbook plan`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runbook_tui.commands import options

if TYPE_CHECKING:
    from runbook_tui.engine.foresight import Foreseen


@click.command(
    epilog="""\b
Examples:
  runbook plan deploy.yaml -e staging -p version=v1.4.0
  runbook plan deploy.yaml -e staging -p version=v1.4.0 --json
"""
)
@click.argument("file", type=options.FILE)
@options.environment
@options.parameters
@click.option("--json", "as_json", is_flag=True, help="A list of objects, one a step.")
def command(file: Path, environment: str | None, given: dict[str, str], as_json: bool) -> None:
    """Say what a run would do, and look at what is already there. Changes nothing."""
    from runbook_tui.commands.place import place
    from runbook_tui.definition.problems import visible
    from runbook_tui.engine import session
    from runbook_tui.engine.foresight import foresee

    prepared = session.prepare(file, environment, given)
    with place() as here:
        steps = foresee(prepared.plan, prepared.checkout, here)
    if as_json:
        click.echo(json.dumps([_data(one) for one in steps], indent=1, ensure_ascii=False))
        return
    for line in _lines(prepared.plan.runbook, prepared.plan.environment, steps):
        click.echo(visible(line))


def _lines(runbook: str, environment: str, steps: Sequence[Foreseen]) -> Iterator[str]:
    yield f"{runbook} · {environment or 'no environment'}"
    phase = None
    for one in steps:
        if one.step.phase != phase:
            phase = one.step.phase
            yield ""
            yield phase
        refs = f" [{', '.join(one.step.refs)}]" if one.step.refs else ""
        yield f"  {one.step.id:<20} {one.will:<14} {one.step.name}{refs}"
        yield from (f"      {line}" for line in one.details)
    there = sum(one.there for one in steps)
    changes = sum(one.changes and not one.there and one.met is not False for one in steps)
    asks = sum(one.asks for one in steps)
    yield ""
    yield f"{len(steps)} steps: {there} already there, {changes} to change something, {asks} ask"


def _data(one: Foreseen) -> dict[str, Any]:
    step = one.step
    return {
        "id": step.id,
        "name": step.name,
        "phase": step.phase,
        "refs": list(step.refs),
        "action": step.action,
        "environment": step.environment,
        "confirm": step.confirm,
        "will": one.will,
        "changes": one.changes,
        "condition": one.met,
        "verdict": None if one.verdict is None else one.verdict.value,
        "summary": one.summary,
        "does": [list(row) for row in one.rows],
        "found": list(one.found),
        "missing": list(one.missing),
    }
