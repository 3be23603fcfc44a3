"""The Git repository that a run is started in: `tag` and `build` use its commit."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Checkout:
    """The directory a run works in; `commit` is None outside of Git."""

    root: Path
    commit: str | None = None
    dirty: bool = False


def find(directory: Path) -> Checkout:
    """Return the Git root above a directory with its commit, or the directory itself."""
    root = _git(directory, "rev-parse", "--show-toplevel")
    if root is None:
        return Checkout(directory)
    commit = _git(directory, "rev-parse", "--verify", "-q", "HEAD")
    status = _git(directory, "status", "--porcelain", "--untracked-files=no")
    return Checkout(Path(root), commit, bool(status))


def _git(directory: Path, *arguments: str) -> str | None:
    """Return what git prints, None when it fails or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
