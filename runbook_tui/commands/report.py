"""`runbook report`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("run")
@click.option(
    "--format", "form", type=click.Choice(["html", "md", "json"]), default="md", show_default=True
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Into a file."
)
def command(run: str, form: str, output: Path | None) -> None:
    """Write a run's report: what was done, by whom, with which proof, sealed by its journal."""
    from runbook_tui.commands.find import run_state
    from runbook_tui.commands.place import reader
    from runbook_tui.report import text
    from runbook_tui.report.show import show
    from state.codec import seal

    with reader() as store:
        state = run_state(store.journal, run)
        found = show(state, store)
        head = store.journal.head(run)
    sealed = seal(head) if head is not None else "no head record"
    if form == "json":
        made = json.dumps({**found, "seal": sealed}, indent=1, ensure_ascii=False) + "\n"
    else:
        made = text.page(found, sealed) if form == "html" else text.markdown(found, sealed)
    if output is None:
        click.echo(made, nl=False)
        return
    output.write_text(made, encoding="utf-8")
    click.echo(f"Wrote {output}")
