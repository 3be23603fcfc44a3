"""Do locks on this disk keep a second one out? Some network and user-space disks take them all."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from state.stores.paths import FILE_MODE

Take = Callable[[int], None]
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)


def locks_hold(directory: Path) -> bool:
    """Take two locks of each kind on one file: the second must be refused.

    Whole files (`flock`) are what our own locks are; ranges are what SQLite's are. Where there is
    no room to try, nothing is found out and True returned. Raises OSError.
    """
    try:
        one = _open(directory)
    except OSError as problem:
        if problem.errno in _NO_ROOM:
            return True
        raise
    try:
        # Another description of the same file: for locks that is as good as another process.
        two = os.open(f"/proc/self/fd/{one}", os.O_RDWR | os.O_CLOEXEC)
        try:
            return _second_refused(_flock, one, two) and _second_refused(_range, one, two)
        finally:
            os.close(two)
    finally:
        os.close(one)


def _open(directory: Path) -> int:
    """Return a file that is gone when it is closed."""
    try:
        return os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, FILE_MODE)
    except OSError as problem:
        if problem.errno not in (errno.EOPNOTSUPP, errno.EISDIR):
            raise
    draft = directory / f".trial.{os.getpid()}"
    handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    draft.unlink()
    return handle


def _second_refused(take: Take, one: int, two: int) -> bool:
    try:
        take(one)
    except OSError:
        return False
    try:
        take(two)
    except OSError:
        return True
    return False


def _flock(handle: int) -> None:
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _range(handle: int) -> None:
    """Lock the first byte for this description of the file; `fcntl` has no call for that."""
    wanted = struct.pack("hhxxxxqqixxxx", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
    fcntl.fcntl(handle, fcntl.F_OFD_SETLK, wanted)
