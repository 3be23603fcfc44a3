"""`runbook runs`."""

from __future__ import annotations

import json
from typing import Any

import click

from runbook_tui import exits


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of objects, newest first.")
@click.option("--prune", is_flag=True, help="Remove finished runs, with their logs and evidence.")
@click.option(
    "--older-than",
    metavar="AGE",
    help="With --prune: only those in which nothing happened for so long, like 30d; 90d if "
    "neither this nor --keep is given.",
)
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    metavar="N",
    help="With --prune: the newest N stay, finished or not.",
)
@click.option("--dry-run", is_flag=True, help="With --prune: say what would go, remove nothing.")
@click.option("--force", is_flag=True, help="With --prune: also runs that could be resumed.")
@click.option("--yes", is_flag=True, help="With --prune: do not ask.")
def command(
    as_json: bool,
    prune: bool,
    older_than: str | None,
    keep: int | None,
    dry_run: bool,
    force: bool,
    yes: bool,
) -> int:
    """List the runs, newest first, or remove old ones.

    Exit code 6 when the record of one is not intact; the others are listed all the same.
    """
    if prune:
        from runbook_tui.commands import prune as pruning

        if as_json:
            raise click.UsageError("--json does not go with --prune.")
        return pruning.prune(older_than, keep, force=force, dry_run=dry_run, yes=yes)
    if older_than is not None or keep is not None or dry_run or force or yes:
        raise click.UsageError(
            "--older-than, --keep, --dry-run, --force and --yes go with --prune."
        )
    return _list(as_json=as_json)


def _list(*, as_json: bool) -> int:
    from runbook_tui.commands.errors import explain
    from runbook_tui.commands.find import recorded
    from runbook_tui.commands.place import reader
    from runbook_tui.report.show import observed, summary
    from state.errors import StoreCorrupt, StoreNewer

    found, damaged = [], []
    with reader() as store:
        for run in store.journal.runs():
            try:
                state = recorded(store.journal, run)
            except (StoreCorrupt, StoreNewer) as problem:
                damaged.append(problem)
                continue
            if state is not None:
                found.append(summary(state, observed(state, store)))
    _print(found, as_json=as_json, nothing=not damaged)
    for fault in damaged:
        click.echo(explain(fault).text, err=True)
    return exits.STORE if damaged else exits.DONE


def _print(found: list[dict[str, Any]], *, as_json: bool, nothing: bool) -> None:
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    if not found and nothing:
        click.echo("No runs yet. Start one with: runbook run FILE")
    for one in found:
        click.echo(_line(one))


def _line(one: dict[str, Any]) -> str:
    from runbook_tui.definition.problems import visible

    place = one["environment"] or "-"
    failures = f" · {one['failures']} failed" if one["failures"] else ""
    words = f"{one['run']:<18} {one['status']:<12} {place:<14} {one['started_at'][:16]}Z  "
    return visible(f"{words}{one['operator']:<10} {one['runbook']}{failures}")
