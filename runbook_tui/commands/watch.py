"""`runbook watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runbook_tui.commands import drive, options

if TYPE_CHECKING:
    from runbook_tui.engine.following import Seen
    from state.stores.store import Store


@click.command(
    epilog="""\b
Examples:
  runbook watch                      the one run that is not over
  runbook watch 1123-k7f3
  runbook watch 1123-k7f3 --headless
"""
)
@click.argument("run", required=False)
@options.without_screen
def command(run: str | None, headless: bool, as_json: bool) -> None:
    """Look on while somebody else drives a run: read only, live.

    On the screen d offers what a watcher may do: approve, take over. Without a screen: a line for
    each event until the run is over, or nobody drives it any more.
    """
    from runbook_tui.commands.find import run_state, unfinished
    from runbook_tui.commands.place import reader

    with reader() as store:
        run = run or unfinished(store)
        run_state(store.journal, run)
        if not drive.wants_screen(headless=headless, as_json=as_json):
            _lines(store, run, as_json=as_json)
            return
    from runbook_tui.commands.screen import watch

    watch(run)


def _lines(store: Store, run: str, *, as_json: bool) -> None:
    from runbook_tui.engine import following

    parted = following.Parted()
    for seen in following.follow(store, run):
        _print(seen, as_json=as_json)
        if parted.by(seen) and not seen.state.final:
            if not as_json:
                back = f"runbook resume {seen.state.run}"
                click.echo(f"Nobody drives it now. Take it up: {back}")
            return


def _print(seen: Seen, *, as_json: bool) -> None:
    from runbook_tui.definition.problems import visible
    from runbook_tui.engine import telling
    from state.codec import record_line

    for record in seen.records:
        if as_json:
            click.echo(record_line(record))
            continue
        line = telling.line(seen.state, record)
        if line is not None:
            click.echo(visible(line))
