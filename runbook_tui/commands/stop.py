"""`runbook stop`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runbook_tui.engine.sending import Sender
    from state.run_state import RunState
    from state.stores.store import Store


@click.command(
    epilog="""\b
Examples:
  runbook stop 1123-k7f3 --reason "wrong branch"
  runbook stop 1123-k7f3 soak --reason "seen enough"
"""
)
@click.argument("run")
@click.argument("step", required=False)
@click.option("--reason", required=True, help="Why; it stands in the journal as the outcome.")
def command(run: str, step: str | None, reason: str) -> None:
    """Stop what runs: the steps of a run, or one of them; gracefully first, then firmly.

    Whoever drives the run is asked what now; without anybody, the next resume asks.
    """
    from runbook_tui.commands.find import run_state, step_state
    from runbook_tui.commands.operator import sender
    from runbook_tui.definition.problems import UsageProblem
    from runbook_tui.engine import sending
    from state.stores.location import location

    if not reason.strip():
        raise UsageProblem("The reason is empty", 'Give it with: --reason "why"')
    with location().open() as store:
        state = run_state(store.journal, run)
        if step is not None:
            step_state(state, step)
        if not (sending.driven(store, run) and _told(store, state, step, reason, sender())):
            click.echo(f"asked to stop: {', '.join(_stopped(store, state, step, reason))}")


def _told(store: Store, state: RunState, step: str | None, reason: str, own: Sender) -> bool:
    """Have whoever drives stop it; False when they have gone meanwhile."""
    from runbook_tui.definition.problems import UsageProblem
    from runbook_tui.engine import messages, sending

    data = {"step": step, "reason": reason}
    message, after = sending.send(store, state.run, messages.STOP, data, own)
    taken = sending.heard(store, message, after)
    if taken is None:
        sending.take_back(store, message)
        return False
    if taken.refused:
        raise UsageProblem(taken.refused.capitalize(), f"See runbook show {state.run}")
    click.echo(f"{sending.who_drives(store, state.run)} was told, and stops it")
    return True


def _stopped(store: Store, state: RunState, step: str | None, reason: str) -> list[str]:
    """Ask the workers of this machine themselves; return the steps that are theirs."""
    from runbook_tui.commands.operator import sender
    from runbook_tui.definition.problems import UsageProblem
    from runbook_tui.engine.workers import Workers
    from state.stores.attempt_dir import AttemptDir

    running = {
        owner.id: store.directory / attempt.directory
        for owner, attempt in state.open_attempts()
        if step in (None, owner.id) and store.begun_here(attempt)
    }
    alive = {id_: path for id_, path in running.items() if AttemptDir(path).live().alive}
    if not alive:
        what = f"{step} does not run" if step is not None else f"Nothing of {state.run} runs"
        raise UsageProblem(f"{what} on this machine", f"See runbook show {state.run}")
    own = sender()
    pool = Workers()
    try:
        for path in alive.values():
            pool.stop(str(path), f"{own.name}@{own.host}: {reason}")
    finally:
        pool.close()
    return list(alive)
