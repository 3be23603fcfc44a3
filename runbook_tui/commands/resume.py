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
"""
)
@click.argument("run", required=False)
@options.parameters
@options.driving
def command(
    run: str | None,
    given: dict[str, str],
    headless: bool,
    as_json: bool,
    yes: bool,
    confirms: Sequence[str],
    answers: Sequence[str],
) -> int:
    """Go on with a run. What was in flight is judged by evidence; where there is none, it asks.

    -p gives secret parameters again: they are not kept.
    """
    from runbook_tui.commands.find import unfinished
    from runbook_tui.commands.place import place, reader
    from runbook_tui.engine import session

    if run is None:
        with reader() as store:
            run = unfinished(store)
    if drive.wants_screen(headless=headless, as_json=as_json):
        from runbook_tui.commands.screen import take_up

        return take_up(run, given)
    answering = drive.answers(yes=yes, confirms=confirms, given=answers)
    with place() as here:
        if answering.names():
            answering.insist(session.step_ids(here, run))
        with collector.paused(keep=True):
            resumed = session.resume(run, here, given)
        with resumed:
            return drive.drive(resumed, answering, as_json=as_json)
