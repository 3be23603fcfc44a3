"""Which release of the sample application comes next, and its sources in the work tree."""

from __future__ import annotations

import subprocess
from typing import Final

from runbook_tui.sandbox.errors import SandboxError
from runbook_tui.sandbox.site import Site

RELEASES: Final = (("v1.0.0", "main"), ("v1.1.0", "release/1.1"))
"""Each release and the branch that it is made of."""


def next_release(site: Site) -> str:
    """Check out what is to be released next and return its version.

    Raises SandboxError when all have been, or the work tree is in the way.
    """
    there = _git(site, "ls-remote", "--tags", "--refs", "origin").split()
    for version, branch in RELEASES:
        if f"refs/tags/{version}" not in there:
            _git(site, "checkout", "--quiet", branch)
            return version
    raise SandboxError(
        f"All releases are deployed: {', '.join(version for version, _ in RELEASES)}.",
        "Begin again with: runbook sandbox down, then runbook demo",
    )


def _git(site: Site, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(site.work), *words],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SandboxError(
            f"git {words[0]} failed in {site.work}: {done.stderr.strip()}",
            "Mend that, or begin again with: runbook sandbox down",
        )
    return done.stdout
