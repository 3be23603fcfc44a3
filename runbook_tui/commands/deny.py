"""`runbook deny`."""

from __future__ import annotations

import click

from runbook_tui.commands import saying


@click.command(
    epilog="""\b
Examples:
  runbook deny 1123-k7f3 deploy --reason "not during the sale"
"""
)
@saying.arguments
@click.option("--reason", required=True, help="Why; it stands in the journal.")
def command(run: str, step: str, name: str | None, reason: str) -> None:
    """Say no to a step that waits for another operator's approval: it fails, with your reason."""
    from runbook_tui.definition.problems import UsageProblem

    if not reason.strip():
        raise UsageProblem("The reason is empty", 'Give it with: --reason "why"')
    saying.say("deny", run, step, name, reason)
