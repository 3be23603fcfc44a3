"""`runbook lint`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from runbook_tui import exits


@click.command(
    epilog="""\b
Examples:
  runbook lint deploy.yaml
  runbook lint runbooks/            all files of a folder
  runbook lint runbooks/ --json
"""
)
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH…"
)
@click.option("--json", "as_json", is_flag=True, help="A list of objects; empty when clean.")
def command(paths: Sequence[Path], as_json: bool) -> int:
    """Check runbooks without running them. Exit code 2 when there is an error."""
    from runbook_tui.definition.loader import lint_paths

    problems = lint_paths(paths)
    errors = sum(problem.severity == "error" for problem in problems)
    if as_json:
        click.echo(json.dumps([one.data() for one in problems], indent=1, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(problem.show())
        warnings = len(problems) - errors
        click.echo(f"{errors} errors, {warnings} warnings" if problems else "No problems found.")
    return exits.USAGE if errors else exits.DONE
