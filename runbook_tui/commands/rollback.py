"""`runbook rollback`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from runbook_tui import exits
from runbook_tui.commands import drive, options


@click.command(
    epilog="""\b
Examples:
  runbook rollback 1123-k7f3
  runbook rollback 1123-k7f3 --headless --yes
  runbook rollback 1123-k7f3 --headless --confirm rollback=production
"""
)
@click.argument("run")
@click.option("--reason", default="asked for", help="Why; it goes into the journal.")
@options.parameters
@options.driving
def command(
    run: str,
    reason: str,
    given: dict[str, str],
    headless: bool,
    as_json: bool,
    yes: bool,
    confirms: Sequence[str],
    answers: Sequence[str],
) -> int:
    """Take back what a run did, newest first, by a run of its own; exit code 0 when it has."""
    if drive.wants_screen(headless=headless, as_json=as_json):
        from runbook_tui.commands.screen import roll_back

        return roll_back(run, given, reason)
    from runbook_tui.commands.place import place
    from runbook_tui.engine import session

    answering = drive.answers(yes=yes, confirms=confirms, given=answers)
    with place() as here:
        answering.insist(session.step_ids(here, run))
        begun = drive.begun(lambda: session.rollback(run, here, given, reason), as_json=as_json)
        with begun:
            code = drive.drive(begun, answering, as_json=as_json)
    return exits.DONE if code == exits.ROLLED_BACK else code
