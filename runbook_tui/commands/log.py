"""`runbook log`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from state.run_state import StepState
    from state.stores.store import Store


@click.command()
@click.argument("run")
@click.argument("step")
@click.option("--try", "number", type=int, help="Which try; the last one if not given.")
def command(run: str, step: str, number: int | None) -> None:
    """Print the output of a step, as it was kept: redacted, whole, with its colours."""
    from runbook_tui.commands.find import run_state, step_state
    from runbook_tui.commands.place import reader

    with reader() as store:
        found = step_state(run_state(store.journal, run), step)
        _print(store, found, step, number)


def _print(store: Store, found: StepState, step: str, number: int | None) -> None:
    from runbook_tui.definition.problems import UsageProblem

    tries = {attempt.number: attempt for attempt in found.attempts}
    if not tries:
        raise UsageProblem(f"The step {step} was never tried", "It has no output")
    chosen = tries.get(number or max(tries))
    if chosen is None:
        raise UsageProblem(f"The step {step} has no try {number}", f"It has {len(tries)}")
    if store.outputs.size(chosen.directory) is None:
        path = store.directory / chosen.directory / "output.log"
        raise UsageProblem(f"The output of {step} is gone: {path}", "Somebody removed the file")
    sys.stdout.flush()
    for piece in store.outputs.read(chosen.directory):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
