"""`runbook handover`."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  runbook handover 1123-k7f3 --to lee --reason "end of my day"
"""
)
@click.argument("run")
@click.option("--to", required=True, metavar="NAME", help="Who goes on.")
@click.option("--reason", default="", help="Why; it stands in the journal.")
def command(run: str, to: str, reason: str) -> None:
    """Have whoever drives a run leave it, so that somebody else can go on.

    Where a person sits at the driver, they are asked, and have 30 s; without a screen it leaves at
    once. The running step goes on by itself; nothing new starts until the run is resumed.
    """
    from runbook_tui.commands.find import run_state
    from runbook_tui.commands.operator import sender
    from runbook_tui.definition.problems import UsageProblem
    from runbook_tui.engine import taking_over
    from state.stores.location import location

    if not to.strip():
        raise UsageProblem("Nobody is named", "Say who goes on: --to NAME")
    said = reason.strip() or "asked for"
    with location().open() as store:
        state = run_state(store.journal, run)
        taking_over.hand_over(store, state, to.strip(), said, sender(), click.echo)
    click.echo(f"{run} waits for {to}: runbook resume {run}")
