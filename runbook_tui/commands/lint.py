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
    from runbook_tui.definition.problems import counted

    problems = lint_paths(paths)
    if as_json:
        click.echo(json.dumps([one.data() for one in problems], indent=1, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(problem.show())
        click.echo(counted(problems) or "No problems found.")
    wrong = any(problem.severity == "error" for problem in problems)
    return exits.USAGE if wrong else exits.DONE
