"""Where things lie under the state directory."""

from __future__ import annotations

import os
from pathlib import Path

from state.errors import StoreUnusable

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600


def state_directory() -> Path:
    """Return `$RUNBOOK_STATE`, or `~/.local/state/runbook`; absolute, not created here.

    Raises StoreUnusable for a URL: it would become a directory of that name.
    """
    named = os.environ.get("RUNBOOK_STATE")
    if named and "://" in named:
        raise StoreUnusable(
            f"RUNBOOK_STATE names a {named.partition(':')[0]} URL, and this version keeps its "
            "journal in a directory only.",
            "Name a directory on a local disk in RUNBOOK_STATE.",
        )
    return Path(named or "~/.local/state/runbook").expanduser().absolute()


def attempt_directory(run: str, step: str, number: int) -> str:
    """Return the directory of an attempt, relative to the state directory (as in its intent)."""
    return f"runs/{run}/attempts/{step}.{number}"


def locks_directory(state: Path) -> Path:
    """Return where the locks of environments and runs lie."""
    return state / "locks"


def make_directory(path: Path) -> None:
    """Make a directory and those above it that are missing, all of them for the owner only."""
    for missing in reversed([path, *path.parents]):
        try:
            missing.mkdir(DIRECTORY_MODE)
        except FileExistsError:
            continue
