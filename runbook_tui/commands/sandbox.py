"""`runbook sandbox`."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from runbook_tui import exits


@click.group()
def command() -> None:
    """The practice production: real systems on this machine's loopback, in one directory.

    Docker engines, a registry, PostgreSQL, Redis, SSH hosts, a proxy, a Git origin. Needs root on
    Debian. The directory is $RUNBOOK_SANDBOX, or ~/.local/share/runbook/sandbox.
    """


@command.command()
def up() -> None:
    """Start what does not run; from nothing in about twenty seconds."""
    from runbook_tui.sandbox import practice, site

    practice.up(site.default_directory(), click.echo)


@command.command()
def down() -> None:
    """End everything and remove the directory."""
    from runbook_tui.sandbox import practice, site

    directory = site.default_directory()
    if not practice.down(directory, click.echo):
        click.echo(f"There is no sandbox in {directory}")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="A list of objects.")
def status(as_json: bool) -> int:
    """Say how each part stands. Exit code 1 when one does not run."""
    from runbook_tui.sandbox import practice, site

    directory = site.default_directory()
    parts = practice.status(directory)
    if as_json:
        click.echo(json.dumps([asdict(part) for part in parts], indent=1))
    elif not parts:
        click.echo(f"There is no sandbox in {directory}. Make one with: runbook sandbox up")
    else:
        for part in parts:
            click.echo(f"{part.title:<28} {part.state:<16} {part.where}")
    running = bool(parts) and all(part.state == "running" for part in parts)
    return exits.DONE if running else exits.FAILED
