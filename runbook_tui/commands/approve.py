"""`runbook approve`."""

from __future__ import annotations

import click

from runbook_tui.commands import saying


@click.command(
    epilog="""\b
Examples:
  runbook approve 1123-k7f3 deploy --reason "looked at the change"
"""
)
@saying.arguments
@click.option("--reason", default="", help="What you looked at; it stands in the journal.")
def command(run: str, step: str, name: str | None, reason: str) -> None:
    """Say yes to a step that waits for another operator's approval; it counts for an hour.

    Who you are is your role in the database that the journal is shared in. It must be another one
    than that of whoever asked, and in one of the step's roles.
    """
    saying.say("approve", run, step, name, reason)
