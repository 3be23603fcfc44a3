"""`runbook import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook_tui.commands import options

if TYPE_CHECKING:
    from runbook_tui.archive.importing import Imported


@click.command()
@click.argument("file", type=options.FILE)
def command(file: Path) -> None:
    """Take in a run that `runbook export` packed: all of it is checked first, then all or nothing.

    It can be read here (show, log, events, audit, report), not gone on with.
    """
    from runbook_tui.archive.importing import import_
    from runbook_tui.archive.layout import ArchiveError
    from runbook_tui.commands.place import writer
    from runbook_tui.definition.problems import UsageProblem

    with writer() as store:
        if store.keeper is None:
            raise UsageProblem(
                "This store cannot take runs in", "Name another one in RUNBOOK_STATE"
            )
        try:
            taken = import_(store, store.keeper, file)
        except ArchiveError as problem:
            sentence = f"{problem.sentence.removesuffix('.')}. Nothing was imported"
            raise UsageProblem(sentence, problem.advice) from problem
    _tell(taken)


def _tell(taken: Imported) -> None:
    from runbook_tui.definition.problems import visible

    for entry in taken.manifest.runs:
        if entry.run in taken.already:
            click.echo(visible(f"run {entry.run}: is here already, the same to the last event"))
            continue
        click.echo(visible(f"run {entry.run}: {entry.status}, the chain is whole: {entry.seal}"))
        if entry.missing:
            first, count = entry.missing[0], len(entry.missing)
            click.echo(visible(f"  {count} of its tries had no files any more, {first} first"))
        if entry.partial:
            first, count = entry.partial[0], len(entry.partial)
            click.echo(visible(f"  {count} of its tries are here in part, {first} first"))
    if taken.runs:
        click.echo(f"Imported. Read it with: runbook show {taken.manifest.runs[0].run}")
    else:
        click.echo("Nothing to import.")
