"""`runbook audit`."""

from __future__ import annotations

import click

from runbook_tui import exits


@click.command()
@click.argument("run")
def command(run: str) -> int:
    """Check that a run's events are as they were written: none edited, missing, swapped, cut off.

    Exit code 6 when they are not.
    """
    from runbook_tui.commands.place import reader
    from runbook_tui.definition.problems import UsageProblem, visible
    from state.audit import audit
    from state.codec import seal

    with reader() as store:
        records, head = store.journal.read(run), store.journal.head(run)
    if not records and head is None:
        raise UsageProblem(f"There is no run {run}", "See runbook runs")
    faults = audit(records, head, run)
    for fault in faults:
        click.echo(visible(fault.text))
    if faults or head is None:
        count = f"{len(faults)} fault{'s' * (len(faults) != 1)}"
        click.echo(f"run {run}: {count}. What follows the first one proves nothing.")
        return exits.STORE
    click.echo(f"run {run}: the chain is whole: {seal(head)}")
    return exits.DONE
