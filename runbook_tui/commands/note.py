"""`runbook note`."""

from __future__ import annotations

import click


@click.command()
@click.argument("run")
@click.argument("text")
@click.option("--step", help="The step that the note is on.")
def command(run: str, text: str, step: str | None) -> None:
    """Write a note on a run; it goes into the journal, whoever drives the run."""
    from runbook_tui.commands.find import run_state, step_state
    from runbook_tui.commands.operator import sender
    from runbook_tui.definition.problems import UsageProblem
    from runbook_tui.engine import notes
    from state.stores.location import location

    if not text.strip():
        raise UsageProblem("The note is empty", 'Write: runbook note RUN "what you saw"')
    with location().open() as store:
        state = run_state(store.journal, run)
        if step is not None:
            step_state(state, step)
        notes.write(store, state, sender(), text, step)
    click.echo(f"noted on {run}")
