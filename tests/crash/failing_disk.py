"""The program on a disk that refuses to sync from the first intent on.

The kernel itself refuses (a seccomp filter answers EIO), so nothing of ours or of SQLite's is
replaced. Workers are started by a process of its own and are not affected.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from runbook_tui import cli
from state.stores.attempt_dir import AttemptDir

_NUMBERS = {"x86_64": (74, 75), "aarch64": (82, 83)}
"""Of fsync and fdatasync."""
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUALS, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000


def refuse_syncs() -> None:
    """Have fsync and fdatasync of this thread fail from now on."""
    first, second = _NUMBERS[platform.machine()]
    lines = [
        (_LOAD, 0, 0, 0),
        (_EQUALS, 1, 0, first),
        (_EQUALS, 0, 1, second),
        (_RETURN, 0, 0, _ERRNO | errno.EIO),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
    program = struct.pack("@HP", len(lines), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _FILTER, program, 0, 0)):
        if libc.prctl(*words) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def sync_for_the_last_time(attempt: AttemptDir) -> None:
    """Bring an attempt's directory to the disk, which fails from then on: next is the intent."""
    sync(attempt)
    refuse_syncs()


if __name__ == "__main__":
    sync = AttemptDir.sync
    AttemptDir.sync = sync_for_the_last_time  # type: ignore[method-assign, assignment]  # that is the point
    cli.main()
