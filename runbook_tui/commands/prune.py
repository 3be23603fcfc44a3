"""`runbook runs --prune`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from runbook_tui import exits

if TYPE_CHECKING:
    from runbook_tui.archive.families import Verdict, Wish
    from state.protocols import Keeper
    from state.stores.store import Store

DEFAULT_AGE = "90d"


def prune(
    older_than: str | None, keep: int | None, *, force: bool, dry_run: bool, yes: bool
) -> int:
    """Show which runs would go, ask, and remove them. Raises UsageProblem, StoreError."""
    from runbook_tui.archive.families import families, judge
    from runbook_tui.commands.place import writer
    from runbook_tui.definition.problems import UsageProblem
    from runbook_tui.engine import clock

    wish = _wish(older_than, keep, force=force)
    with writer() as store:
        if store.keeper is None:
            raise UsageProblem("Runs cannot be removed from this store", "Name a directory")
        found, damaged = families(store)
        verdicts = judge(store, found, wish, clock.utc())
        going = [one for one in verdicts if one.goes]
        _show(verdicts, damaged)
        if dry_run or not going:
            return exits.DONE
        if not yes and not _agreed(len(going)):
            return exits.DONE
        return _do(store, store.keeper, going)


def _wish(older_than: str | None, keep: int | None, *, force: bool) -> Wish:
    from runbook_tui.actions.shared import durations
    from runbook_tui.archive.families import Wish

    if older_than is None and keep is None:
        older_than = DEFAULT_AGE
    try:
        seconds = None if older_than is None else durations.seconds(older_than)
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="--older-than") from problem
    return Wish(seconds, keep, force)


def _show(verdicts: Sequence[Verdict], damaged: Sequence[str]) -> None:
    from runbook_tui.definition.problems import visible

    for verdict in verdicts:
        if verdict.goes:
            click.echo(visible(_line(verdict)))
    why = [one.why for one in verdicts if not one.goes]
    for reason in dict.fromkeys(why):
        click.echo(visible(f"stays: {why.count(reason)}, {reason}"))
    for run in damaged:
        click.echo(visible(f"stays: {run}, which is not intact. See: runbook audit {run}"))
    going = [one for one in verdicts if one.goes]
    total = sum(one.bytes for one in going)
    count = sum(len(one.family.runs) for one in going)
    click.echo(f"{count} run{'s' * (count != 1)} to remove, {_mb(total)}")


def _line(verdict: Verdict) -> str:
    base = verdict.family.states[0]
    others = verdict.family.runs[1:]
    linked = f" (with {', '.join(others)})" if others else ""
    words = f"{base.run:<18} {base.status.value:<12} {verdict.family.at[:16]}Z"
    return f"{words} {_mb(verdict.bytes):>12}  {base.started.runbook}{linked}"


def _agreed(count: int) -> bool:
    from runbook_tui.definition.problems import UsageProblem

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageProblem(
            "Nothing was removed: nobody is here to be asked", "Add --yes, or --dry-run to look"
        )
    what = "this run" if count == 1 else f"these {count}"
    return click.confirm(f"Remove {what} with their logs and evidence for good?", default=False)


def _do(store: Store, keeper: Keeper, going: list[Verdict]) -> int:
    from runbook_tui.archive.prune import prune as remove
    from runbook_tui.commands.operator import operator
    from runbook_tui.definition.problems import visible

    done = remove(store, keeper, going, operator())
    count = sum(len(one.family.runs) for one in done.removed)
    total = sum(one.bytes for one in done.removed)
    click.echo(f"Removed {count} run{'s' * (count != 1)}, {_mb(total)}")
    if done.store_bytes:
        click.echo(f"The journal's file is {_mb(done.store_bytes)} smaller")
    for family in done.spared:
        click.echo(visible(f"stays: {family.runs[0]}, which somebody has just taken up"))
    return exits.DONE


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
