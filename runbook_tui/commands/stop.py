"""`runbook stop`."""

from __future__ import annotations

import click


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
    import socket

    from runbook_tui.commands.find import run_state, step_state
    from runbook_tui.commands.operator import operator
    from runbook_tui.commands.place import reader
    from runbook_tui.definition.problems import UsageProblem
    from runbook_tui.engine.workers import Workers
    from state.stores.attempt_dir import AttemptDir
    from state.stores.machine import machine_id

    if not reason.strip():
        raise UsageProblem("The reason is empty", 'Give it with: --reason "why"')
    with reader() as store:
        state = run_state(store.journal, run)
        root = store.directory
    if step is not None:
        step_state(state, step)
    here = machine_id()
    running = {
        owner.id: root / attempt.directory
        for owner, attempt in state.open_attempts()
        if step in (None, owner.id) and attempt.machine == here
    }
    alive = {id_: path for id_, path in running.items() if AttemptDir(path).live().alive}
    if not alive:
        what = f"{step} does not run" if step is not None else f"Nothing of {run} runs"
        raise UsageProblem(f"{what} on this machine", f"See runbook show {run}")
    who = f"{operator()}@{socket.gethostname().partition('.')[0]}"
    pool = Workers()
    try:
        for path in alive.values():
            pool.stop(str(path), f"{who}: {reason}")
    finally:
        pool.close()
    click.echo(f"asked to stop: {', '.join(alive)}")
