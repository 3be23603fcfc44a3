"""`runbook audit`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from runbook_tui import exits

if TYPE_CHECKING:
    from state.events import Record


@click.command()
@click.argument("run", required=False)
@click.option(
    "--recover",
    is_flag=True,
    help="Without RUN: save what can be read of a damaged journal; the damaged file is kept.",
)
def command(run: str | None, recover: bool) -> int:
    """Check that a run's events are as they were written: none edited, missing, swapped, cut off.

    Exit code 6 when they are not.
    """
    if recover == (run is not None):
        raise click.UsageError("Name a run, or give --recover for the whole journal.")
    return _check(run) if run is not None else _recover()


def _check(run: str) -> int:
    from runbook_tui.commands.place import reader
    from runbook_tui.definition.problems import UsageProblem, visible
    from state.audit import audit
    from state.codec import seal

    with reader() as store:
        records, head = store.journal.read(run), store.journal.head(run)
        origin = store.origin(run)
    if not records and head is None:
        raise UsageProblem(f"There is no run {run}", "See runbook runs")
    faults = audit(records, head, run)
    for fault in faults:
        click.echo(visible(fault.text))
    if faults or head is None:
        count = f"{len(faults)} fault{'s' * (len(faults) != 1)}"
        click.echo(f"run {run}: {count}. What follows the first one proves nothing.")
        return exits.STORE
    click.echo(f"run {run}: the chain is whole: {seal(head)}")
    if origin is not None:
        click.echo(visible(f"run {run}: {origin}"))
    return exits.DONE


def _open_steps(records: Sequence[Record]) -> list[str]:
    """Return the steps that were in flight where what is proven of a run ends."""
    from state.errors import FoldError
    from state.fold import fold

    try:
        return [step.name for step, _ in fold(records).open_attempts()]
    except FoldError:
        return []


def _recover() -> int:
    from runbook_tui.definition.problems import UsageProblem, visible
    from runbook_tui.engine import clock
    from state.stores.location import location
    from state.stores.recover import recover

    place = location()
    if place.url is not None:
        raise UsageProblem(
            "A journal in PostgreSQL is recovered by PostgreSQL's own means",
            "Restore it from a backup",
        )
    done = recover(place.directory, clock.utc())
    if done.damaged is None:
        click.echo("The journal is sound, file and runs: there is nothing to recover.")
        return exits.DONE
    for one in done.saved:
        how = "whole" if one.whole else f"{one.kept.origin}; it can only be read"
        click.echo(visible(f"run {one.kept.run}: {how}"))
        for name in () if one.whole else _open_steps(one.kept.records):
            click.echo(visible(f"  {name}: nobody knows what it did. Look, before anything begins"))
    click.echo(f"Saved {len(done.saved)} runs. The damaged file is kept in {done.damaged}")
    return exits.DONE if all(one.whole for one in done.saved) else exits.STORE
