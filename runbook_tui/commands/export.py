"""`runbook export`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; RUN.tar.gz if not given.",
)
def command(run: str, output: Path | None) -> None:
    """Pack a run, with those that roll it back, into one file: events, definition, logs, evidence.

    `runbook import` takes it in on another machine, where it can be read like one of its own. Of a
    run that somebody drives it holds what there is so far.
    """
    from runbook_tui.archive.export import export
    from runbook_tui.commands.find import unknown
    from runbook_tui.commands.operator import operator
    from runbook_tui.commands.place import reader
    from runbook_tui.definition.problems import visible
    from state.stores.machine import host_name

    target = output or Path(f"{run}.tar.gz")
    with reader() as store:
        if store.journal.head(run) is None:
            raise unknown(store.journal, run)
        made = export(store, run, target, operator=operator(), host=host_name())
    for entry in made.manifest.runs:
        click.echo(visible(f"run {entry.run}: {entry.status}, {entry.seal}"))
        if entry.run in made.manifest.driven:
            click.echo("  somebody drives it: what comes after that is not in the file")
        if entry.missing:
            first, count = entry.missing[0], len(entry.missing)
            click.echo(visible(f"  {count} of its tries have no files any more, {first} first"))
        if entry.partial:
            first, count = entry.partial[0], len(entry.partial)
            click.echo(
                visible(f"  {count} of its tries ran elsewhere and are here in part, {first} first")
            )
    count = len(made.manifest.members)
    click.echo(f"Wrote {target}: {count} files, {made.size / 1e6:,.1f} MB")
