"""`runbook doctor`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from runbook_tui import exits
from runbook_tui.commands import options


@click.command(
    epilog="""\b
Examples:
  runbook doctor deploy.yaml -e staging
  runbook doctor deploy.yaml -e production -p version=v1.4.0 --json
"""
)
@click.argument("file", type=options.FILE)
@options.environment
@options.parameters
@click.option("--json", "as_json", is_flag=True, help="A list of objects, what blocks first.")
def command(file: Path, environment: str | None, given: dict[str, str], as_json: bool) -> int:
    """Check that every program, host, registry, database and secret that a run needs is there.

    Changes nothing. What depends on a parameter is looked at when -p gives it. Exit code 1 when
    something is missing that a step would fail without.
    """
    from runbook_tui.commands.place import place
    from runbook_tui.definition.problems import visible
    from runbook_tui.engine import session
    from runbook_tui.engine.preflight import preflight

    prepared = session.prepare(file, environment, given, complete=False)
    with place() as here:
        checks = preflight(prepared.plan, prepared.checkout, here)
    blocks = sum(check.level == "blocks" for check in checks)
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks], indent=1, ensure_ascii=False))
        return exits.FAILED if blocks else exits.DONE
    for check in checks:
        click.echo(visible(f"{check.level:<7} {check.name}: {check.sentence}"))
        if check.mend and check.level != "good":
            click.echo(visible(f"        {check.mend}"))
    warns = sum(check.level == "warns" for check in checks)
    good = len(checks) - warns - blocks
    click.echo(f"{good} good, {warns} warn, {blocks} block" if checks else "Nothing is needed.")
    return exits.FAILED if blocks else exits.DONE
