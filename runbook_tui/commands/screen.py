"""The screens, as the commands start them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runbook_tui.commands.operator import operator
from runbook_tui.sandbox.site import Site, default_directory
from runbook_tui.ui.entry import FOLDERS, show
from state.stores.location import location


def home() -> int:
    """Show Home, with the runbooks of the practice production when there is one."""
    practice = Site(default_directory(), "")
    folders = {**FOLDERS, practice.runbooks: practice.work}
    return show(location(), operator(), folders=folders)


def launch(
    file: Path,
    environment: str | None,
    given: Mapping[str, str],
    *,
    directory: Path | None = None,
) -> int:
    """Show the form that starts a runbook; `directory` is where the run is called."""
    return show(location(), operator(), launch=(file, environment, given), directory=directory)


def take_up(run: str, given: Mapping[str, str], *, adopt: bool = False) -> int:
    """Take a run up again; `given` are secret parameters. Changed files are adopted, or asked
    about.
    """
    return show(location(), operator(), resume=run, given=given, adopt=adopt)


def roll_back(run: str, given: Mapping[str, str], reason: str) -> int:
    """Roll a run back; `given` are secret parameters."""
    return show(location(), operator(), rollback=(run, reason), given=given)


def watch(run: str) -> int:
    """Look on while somebody else drives a run."""
    return show(location(), operator(), watch=run)


def take_over(run: str, given: Mapping[str, str], reason: str) -> int:
    """Drive a run instead of whoever does; `given` are secret parameters."""
    return show(location(), operator(), take_over=(run, reason), given=given)
