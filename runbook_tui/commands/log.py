"""`runbook log`."""

from __future__ import annotations

import shutil
import sys

import click


@click.command()
@click.argument("run")
@click.argument("step")
@click.option("--try", "number", type=int, help="Which try; the last one if not given.")
def command(run: str, step: str, number: int | None) -> None:
    """Print the output of a step, as it was kept: redacted, whole, with its colours."""
    from runbook_tui.commands.find import run_state, step_state
    from runbook_tui.commands.place import reader
    from runbook_tui.definition.problems import UsageProblem

    with reader() as journal:
        found = step_state(run_state(journal, run), step)
        directory = journal.directory
    tries = {attempt.number: attempt for attempt in found.attempts}
    if not tries:
        raise UsageProblem(f"The step {step} was never tried", "It has no output")
    chosen = tries.get(number or max(tries))
    if chosen is None:
        raise UsageProblem(f"The step {step} has no try {number}", f"It has {len(tries)}")
    path = directory / chosen.directory / "output.log"
    if not path.exists():
        raise UsageProblem(f"The output of {step} is gone: {path}", "Somebody removed the file")
    sys.stdout.flush()
    with path.open("rb") as output:
        shutil.copyfileobj(output, sys.stdout.buffer, 1 << 20)
    sys.stdout.buffer.flush()
