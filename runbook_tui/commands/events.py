"""`runbook events`."""

from __future__ import annotations

import click


@click.command()
@click.argument("run")
@click.option("--after", default=0, show_default=True, help="Only events after this number.")
def command(run: str, after: int) -> None:
    """Print a run's events, one JSON object a line, as they are kept and chained."""
    from runbook_tui.commands.find import unknown
    from runbook_tui.commands.place import reader
    from state.codec import record_line

    with reader() as store:
        # Not folded: what is wrong with a record is looked for with this command.
        journal = store.journal
        if journal.head(run) is None:
            raise unknown(journal, run)
        for record in journal.read(run, after):
            click.echo(record_line(record))
