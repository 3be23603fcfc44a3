"""`runbook resume`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from runbook_tui import collector
from runbook_tui.commands import drive, options


@click.command(
    epilog="""\b
Examples:
  runbook resume                     the one run that is not over
  runbook resume 1123-k7f3
  runbook resume 1123-k7f3 --headless --answer migrate=retry
  runbook resume 1123-k7f3 --adopt-changes       with the runbook as it is now
"""
)
@click.argument("run", required=False)
@options.parameters
@click.option(
    "--adopt-changes",
    is_flag=True,
    help="Go on with the files as they are now, for steps that have not begun.",
)
@options.driving
def command(
    run: str | None,
    given: dict[str, str],
    adopt_changes: bool,
    headless: bool,
    as_json: bool,
    yes: bool,
    confirms: Sequence[str],
    answers: Sequence[str],
) -> int:
    """Go on with a run. What was in flight is judged by evidence; where there is none, it asks.

    -p gives secret parameters again: they are not kept. The run goes on with the files that it
    began with, whatever has become of them since, unless --adopt-changes says otherwise.
    """
    from runbook_tui.commands.find import unfinished
    from runbook_tui.commands.place import place, reader
    from runbook_tui.engine import session

    if run is None:
        with reader() as store:
            run = unfinished(store)
    if drive.wants_screen(headless=headless, as_json=as_json):
        from runbook_tui.commands.screen import take_up

        return take_up(run, given, adopt=adopt_changes)
    answering = drive.answers(yes=yes, confirms=confirms, given=answers)
    with place() as here:
        if answering.names():
            answering.insist(session.step_ids(here, run, given if adopt_changes else None))
        with collector.paused(keep=True):
            change: session.Change = "adopt" if adopt_changes else "keep"
            resumed = drive.begun(
                lambda: session.resume(run, here, given, change=change), as_json=as_json
            )
        with resumed:
            return drive.drive(resumed, answering, as_json=as_json)
