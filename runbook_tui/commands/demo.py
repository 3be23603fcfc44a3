"""`runbook demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runbook_tui.commands import drive

if TYPE_CHECKING:
    from pathlib import Path

    from runbook_tui.sandbox.site import Site

ENVIRONMENT = "sandbox"


@click.command()
@click.option("--headless", is_flag=True, help="Unattended: items for a person prove nothing.")
def command(headless: bool) -> int:
    """Bring the practice production up and deploy the sample application to it, for real.

    The first time it deploys v1.0.0, the second time v1.1.0. A deployment that was left is taken up
    again. Everything stays as it is afterwards: look around, then `runbook sandbox down`.
    """
    from runbook_tui.sandbox import practice, site
    from runbook_tui.sandbox.releases import next_release

    present = practice.up(site.default_directory(), click.echo)
    file = present.runbooks / "deployment.yaml"
    left = _left(file)
    if not drive.wants_screen(headless=headless, as_json=False):
        return _headless(present, file, left)
    from runbook_tui.commands.screen import launch, take_up

    if left is not None:
        return take_up(left, {})
    given = {"version": next_release(present)}
    return launch(file, ENVIRONMENT, given, directory=present.work)


def _headless(present: Site, file: Path, left: str | None) -> int:
    from runbook_tui.commands.place import place
    from runbook_tui.engine import session
    from runbook_tui.engine.headless import DemoPolicy
    from runbook_tui.sandbox.releases import next_release

    with place() as here:
        if left is not None:
            click.echo(f"Going on with run {left}")
            with session.resume(left, here) as resumed:
                return drive.drive(resumed, DemoPolicy(), as_json=False)
        given = {"version": next_release(present)}
        prepared = session.prepare(file, ENVIRONMENT, given, directory=present.work)
        with session.start(prepared, here) as started:
            return drive.drive(started, DemoPolicy(), as_json=False)


def _left(file: Path) -> str | None:
    """Return the run of this sandbox's deployment that is not over, if there is one."""
    from runbook_tui.commands.place import reader
    from state.fold import fold

    with reader() as store:
        for run in store.journal.runs():
            state = fold(store.journal.read(run))
            if state.started.file == str(file) and not state.final and state.rollback_by is None:
                return run
    return None
