"""`runbook note`."""

from __future__ import annotations

import click


@click.command()
@click.argument("run")
@click.argument("text")
@click.option("--step", help="The step that the note is on.")
def command(run: str, text: str, step: str | None) -> None:
    """Write a note on a run that nobody drives at the moment; it goes into the journal.

    While somebody drives, their screen takes notes: m.
    """
    from runbook_tui.commands.find import run_state, step_state
    from runbook_tui.commands.operator import operator
    from runbook_tui.commands.place import reader
    from runbook_tui.definition.problems import UsageProblem
    from runbook_tui.engine import notes
    from state.stores.sqlite import open_journal

    if not text.strip():
        raise UsageProblem("The note is empty", 'Write: runbook note RUN "what you saw"')
    with reader() as journal:
        state = run_state(journal, run)
        directory = journal.directory
    if step is not None:
        step_state(state, step)
    writer = open_journal(directory)
    try:
        notes.add(directory, writer, state, operator(), text, step)
    finally:
        writer.close()
    click.echo(f"noted on {run}")
