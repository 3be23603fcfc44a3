"""A Git server of one bare repository, and a work tree that pushes to it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it printed."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@dataclass(frozen=True)
class Repository:
    """A work tree with its origin."""

    work: Path
    origin: Path

    def commit(self, **files: str) -> str:
        """Write files (`__` stands for the dot), commit them and return the commit's id."""
        for name, text in files.items():
            (self.work / name.replace("__", ".")).write_text(text)
        git(self.work, "add", "-A")
        git(self.work, "commit", "-q", "--allow-empty", "-m", f"Change {', '.join(files)}")
        return git(self.work, "rev-parse", "HEAD")

    def remote_tags(self) -> dict[str, str]:
        """Return the tags of the origin with their commits."""
        names = git(self.origin, "tag", "--list").split()
        return {name: git(self.origin, "rev-parse", f"{name}^{{commit}}") for name in names}


def repository(folder: Path) -> Repository:
    """Make both repositories below a folder."""
    made = Repository(folder / "work", folder / "origin.git")
    subprocess.run(["git", "init", "-q", "--bare", str(made.origin)], check=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(made.work)], check=True)
    git(made.work, "remote", "add", "origin", str(made.origin))
    return made
