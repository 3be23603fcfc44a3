"""Where things lie under the state directory."""

from __future__ import annotations

from pathlib import Path

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600


def attempt_directory(run: str, step: str, number: int) -> str:
    """Return the directory of an attempt, relative to the state directory (as in its intent)."""
    # The id of an included runbook's step holds slashes; no id holds a plus sign.
    return f"runs/{run}/attempts/{step.replace('/', '+')}.{number}"


def state_of(attempt: Path) -> Path | None:
    """Return the state directory that an attempt's directory lies in; None when in none."""
    above = attempt.parents
    return above[3] if len(above) > 3 and above[2].name == "runs" else None


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
