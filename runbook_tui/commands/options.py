"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def environment(command: F) -> F:
    """`-e`."""
    return click.option(
        "-e", "--environment", metavar="ENV", help="Where to act: a name of the environments file."
    )(command)


def parameters(command: F) -> F:
    """`-p NAME=VALUE`, as a mapping."""
    return click.option(
        "-p",
        "--parameter",
        "given",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_pairs,
        help="A value for a parameter of the runbook.",
    )(command)


def driving(command: F) -> F:
    """What a headless run can be told in advance."""
    for option in (
        click.option(
            "--answer",
            "answers",
            metavar="STEP[@HOST][.FIELD]=CHOICE[:REASON]",
            multiple=True,
            help="Answer what a step may ask: retry verified continue skip undo rollback abort, "
            "done:EVIDENCE for an item for a person. Each is used once (CHOICE*3: three times).",
        ),
        click.option(
            "--confirm",
            "confirms",
            metavar="STEP=TEXT",
            multiple=True,
            help="Type a name where a step asks for it; also start=TEXT, rollback=TEXT.",
        ),
        click.option("--yes", is_flag=True, help="Say yes to confirmations that need no name."),
        click.option(
            "--headless", is_flag=True, help="No screen: a line for each event, exit codes."
        ),
        click.option("--json", "as_json", is_flag=True, help="Headless, each event as JSON."),
    ):
        command = option(command)
    return command


def without_screen(command: F) -> F:
    """`--headless` and `--json`, of a command that only looks."""
    for option in (
        click.option("--headless", is_flag=True, help="No screen: a line for each event."),
        click.option("--json", "as_json", is_flag=True, help="Headless, each event as JSON."),
    ):
        command = option(command)
    return command


def _pairs(
    ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text} is not NAME=VALUE", ctx, parameter)
        if name in pairs:
            raise click.BadParameter(f"{name} is given twice", ctx, parameter)
        pairs[name] = value
    return pairs
