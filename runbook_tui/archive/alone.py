"""One process at a time takes runs in or out of a state directory, and tidies up after others.

What a killed import or prune left is known by a mark of its own, so that nothing else is ever
removed: files of a run that the journal does not know may be all that is left of a lost journal.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from state.protocols import JournalReader
from state.stores.paths import FILE_MODE, locks_directory, make_directory

IMPORTING: Final = ".importing"
"""Marks the files of a run that the journal is going to know."""
REMOVED: Final = ".removed"
"""Marks the files of a run that the journal is going to know no more."""


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Keep other imports and prunes of this state directory waiting."""
    make_directory(locks_directory(state))
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    handle = os.open(locks_directory(state) / "keeping.lock", flags, FILE_MODE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def tidy(state: Path, journal: JournalReader) -> int:
    """Remove what was marked by a process that was killed; return how many bytes came back.

    Only for a process that is `alone`.
    """
    given_back = 0
    for mark in (IMPORTING, REMOVED):
        for found in sorted((state / "runs").glob(f"*/{mark}")):
            if journal.head(found.parent.name) is None:
                given_back += size(found.parent)
                shutil.rmtree(found.parent)
            else:
                found.unlink()
    return given_back


def size(directory: Path) -> int:
    """Return how many bytes a directory takes on disk, with all below it; 0 when there is none."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in (".", *names):
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512  # noqa: PTH118
            except FileNotFoundError:
                continue
    return total
