"""One practice production for all tests that need one, started when the first of them asks.

It lives in a short path below /tmp (the sockets of Docker engines have a longest path) and is gone
at the end of the session, whatever the tests did to it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from runbook_tui.sandbox import members, practice, site
from runbook_tui.sandbox.site import Site


def new_directory() -> Path:
    """Return the path of a directory that a sandbox can be made in."""
    return Path(tempfile.mkdtemp(prefix="rb-"))


def remove(directory: Path) -> None:
    """Take a sandbox down, however it stands, and insist that nothing of it runs."""
    present = site.load(directory)
    practice.down(directory, lambda line: None)
    shutil.rmtree(directory, ignore_errors=True)
    if present is not None:
        assert members.members(present) == []


def for_the_session() -> Iterator[Site]:
    """Yield the practice systems, up; take them down afterwards."""
    directory = new_directory()
    try:
        yield practice.up(directory, lambda line: None)
    finally:
        remove(directory)
