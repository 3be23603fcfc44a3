"""Who still has a file open that somebody has removed: by what the kernel lists of descriptors.

An attempt whose directory was deleted by hand may well go on. Its lock has no name any more, but
the processes that inherited it still hold it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from state.stores.machine import ProcessMark, process_mark

_PROC = Path("/proc")


def holders(path: Path) -> list[ProcessMark]:
    """Return the processes, except this one, with the file open that was at `path`.

    Processes of other users are seen by root only.
    """
    # The kernel tells real paths; the directories above it may be gone as well.
    wanted = f"{path.resolve()} (deleted)"
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal())
    marks = (process_mark(pid) for pid in pids if pid != os.getpid() and _has(pid, wanted))
    return [mark for mark in marks if mark is not None]


def _has(pid: int, wanted: str) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        for entry in (_PROC / str(pid) / "fd").iterdir():
            with suppress(FileNotFoundError):
                if str(entry.readlink()) == wanted:
                    return True
    return False
