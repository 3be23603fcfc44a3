"""`runbook runs`."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of objects, newest first.")
def command(as_json: bool) -> None:
    """List the runs, newest first."""
    from runbook_tui.commands.place import reader
    from runbook_tui.report.show import summaries

    with reader() as journal:
        found = summaries(journal, journal.directory)
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    if not found:
        click.echo("No runs yet. Start one with: runbook run FILE")
    for one in found:
        click.echo(_line(one))


def _line(one: dict[str, Any]) -> str:
    from runbook_tui.definition.problems import visible

    place = one["environment"] or "-"
    failures = f" · {one['failures']} failed" if one["failures"] else ""
    words = f"{one['run']:<18} {one['status']:<12} {place:<14} {one['started_at'][:16]}Z  "
    return visible(f"{words}{one['operator']:<10} {one['runbook']}{failures}")
