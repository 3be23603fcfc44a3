"""`runbook schema`."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Print the JSON Schema of runbooks, for editors: complete, hover, check as you type."""
    from runbook_tui.definition import schema

    click.echo(schema.text(), nl=False)
