"""What `approve` and `deny` share: saying yes or no to what another operator is about to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


def arguments(command: F) -> F:
    """`RUN STEP` and `--as`."""
    named = click.option(
        "--as", "name", metavar="NAME", help="What to call you; your role in the database counts."
    )
    return click.argument("run")(click.argument("step")(named(command)))


def say(
    kind: Literal["approve", "deny"], run: str, step: str, name: str | None, reason: str
) -> None:
    """Send it, and say what came of it. Raises UsageProblem when it does not count."""
    from runbook_tui.commands.find import run_state, step_state
    from runbook_tui.commands.operator import sender
    from runbook_tui.engine import voting
    from runbook_tui.engine.sending import Sender
    from state.stores.location import location

    with location().open() as store:
        state = run_state(store.journal, run)
        own = sender()
        named = Sender(name or own.name, own.host)
        said = voting.vote(store, state, step_state(state, step).id, kind, reason, named)
    click.echo(said)
