"""`runbook take-over`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from runbook_tui.commands import drive, options


@click.command(
    epilog="""\b
Examples:
  runbook take-over 1123-k7f3 --reason "dana lost her connection, agreed by phone"
"""
)
@click.argument("run")
@click.option("--reason", required=True, help="Why; it stands in the journal.")
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
    """Drive a run that somebody else drives. They are asked first, and have 30 s to answer.

    The running step is not touched. Whoever drove becomes a watcher. A driver that is not heard of
    any more, or does not answer, is replaced where the journal is shared; on one machine you are
    told which process it is.
    """
    from runbook_tui.commands.place import place
    from runbook_tui.definition.problems import UsageProblem
    from runbook_tui.engine import session, taking_over

    if not reason.strip():
        raise UsageProblem("The reason is empty", 'Give it with: --reason "why"')
    if drive.wants_screen(headless=headless, as_json=as_json):
        from runbook_tui.commands.screen import take_over

        return take_over(run, given, reason)
    answering = drive.answers(yes=yes, confirms=confirms, given=answers)

    def say(line: str) -> None:
        click.echo(line, err=as_json)

    with place() as here:
        answering.insist(session.step_ids(here, run))
        with taking_over.take_over(run, here, reason, given, say=say) as taken:
            return drive.drive(taken, answering, as_json=as_json)
