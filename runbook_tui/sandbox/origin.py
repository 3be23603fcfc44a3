"""The Git origin with the sample application's history, and the work tree a release is made from.

`main` is what v1.0.0 is made of; `release/1.1` is one commit further and needs a migration more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from runbook_tui.sandbox.errors import SandboxError
from runbook_tui.sandbox.site import Site

_IGNORED: Final = "build/\ndist/\n__pycache__/\n*.pyc\n"
_AUTHOR: Final = {"NAME": "Practice Hub", "EMAIL": "hub@example.org"}
_WHEN: Final = "2026-01-05T09:00:00+00:00"


def ready(site: Site) -> bool:
    """Tell whether origin and work tree are there and are repositories."""
    return all(
        _git(path, "rev-parse", "--verify", "--quiet", "HEAD", check=False) == 0
        for path in (site.origin, site.work)
    )


def make(site: Site) -> None:
    """Make origin and work tree anew."""
    for path in (site.origin.parent, site.work.parent):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700)
    _git(site.directory, "init", "--quiet", "--bare", "--initial-branch=main", str(site.origin))
    _git(site.directory, "clone", "--quiet", str(site.origin), str(site.work))
    _git(site.work, "config", "user.name", _AUTHOR["NAME"])
    _git(site.work, "config", "user.email", _AUTHOR["EMAIL"])
    _git(site.work, "checkout", "--quiet", "-B", "main")
    _copy("app", site.work)
    (site.work / ".gitignore").write_text(_IGNORED)
    _commit(site.work, "Sign-in, documents, health and metrics")
    _git(site.work, "push", "--quiet", "--set-upstream", "origin", "main")
    _git(site.work, "checkout", "--quiet", "-b", "release/1.1")
    _copy("app_next", site.work)
    _commit(site.work, "Larger documents, longer lists, an index for them")
    _git(site.work, "push", "--quiet", "origin", "release/1.1")
    _git(site.work, "checkout", "--quiet", "main")
    _git(site.work, "branch", "--quiet", "-D", "release/1.1")


def _copy(package: str, target: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "build", "dist", "*.pyc")
    source = Path(__file__).parent / package
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=ignored)


def _commit(work: Path, message: str) -> None:
    _git(work, "add", "--all")
    _git(work, "commit", "--quiet", "--no-gpg-sign", "--message", message)


def _git(where: Path, *words: str, check: bool = True) -> int:
    """Run Git with the user's own settings, hooks and templates left out."""
    done = subprocess.run(
        ["git", "-C", str(where), "-c", "core.hooksPath=/dev/null", *words],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": "/nonexistent",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_TEMPLATE_DIR": "",
            "GIT_AUTHOR_DATE": _WHEN,
            "GIT_COMMITTER_DATE": _WHEN,
        },
    )
    if check and done.returncode:
        raise SandboxError(
            f"git {words[0]} failed in {where}: {done.stderr.strip()[-300:]}",
            "Mend the cause and run `runbook sandbox up` again.",
        )
    return done.returncode
