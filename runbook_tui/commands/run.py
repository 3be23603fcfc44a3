"""`runbook run`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from runbook_tui.commands import drive, options


@click.command(
    epilog="""\b
Examples:
  runbook run deploy.yaml                                  asks for what is missing
  runbook run deploy.yaml -e staging -p version=v1.4.0
  runbook run deploy.yaml -e staging -p version=v1.4.0 --headless --yes
  runbook run deploy.yaml -e production --headless --confirm start=production \\
      --confirm deploy=production --answer review=done:"read all 14 commits"
"""
)
@click.argument("file", type=options.FILE)
@options.environment
@options.parameters
@options.driving
def command(
    file: Path,
    environment: str | None,
    given: dict[str, str],
    headless: bool,
    as_json: bool,
    yes: bool,
    confirms: Sequence[str],
    answers: Sequence[str],
) -> int:
    """Start a runbook: on the screen, or with --headless (or without a terminal) in lines."""
    if drive.wants_screen(headless=headless, as_json=as_json):
        from runbook_tui.commands.screen import launch

        return launch(file, environment, given)
    from runbook_tui.commands.place import place
    from runbook_tui.definition.rollback import step_ids
    from runbook_tui.engine import session

    answering = drive.answers(yes=yes, confirms=confirms, given=answers)
    prepared = session.prepare(file, environment, given)
    answering.insist(step_ids(prepared.plan))
    with place() as here:
        started = drive.begun(lambda: session.start(prepared, here), as_json=as_json)
        with started:
            return drive.drive(started, answering, as_json=as_json)
