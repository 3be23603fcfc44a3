"""Processes as the kernel knows them: whose children they are, and what they hold open.

A pid alone names nobody: pids go round. A process is its mark (boot, pid, start time), and it is
signalled through a descriptor that was compared with the mark.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from state.stores.machine import ProcessMark, boot_id, process_mark

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class _Stat:
    pid: int
    start: int
    parent: int
    dead: bool


def _stats() -> list[_Stat]:
    found = []
    for pid in _pids():
        with suppress(FileNotFoundError, ProcessLookupError):
            words = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
            found.append(_Stat(pid, int(words[19]), int(words[1]), words[0] in (b"Z", b"X")))
    return found


def _pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()]


def name(process: ProcessMark) -> str:
    """Return a process's name and pid for people; only the pid when it is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        found = (_PROC / str(process.pid) / "comm").read_text(errors="replace").strip()
        if process.alive():
            return f"{found} (pid {process.pid})"
    return f"pid {process.pid}"


def descendants(roots: Iterable[int]) -> list[ProcessMark]:
    """Return the living descendants of the processes with the pids `roots`, without themselves.

    Those that were re-parented are found when a root is their subreaper.
    """
    children: dict[int, list[_Stat]] = {}
    for stat in _stats():
        children.setdefault(stat.parent, []).append(stat)
    boot = boot_id()
    ahead = list(roots)
    known = set(ahead)
    found = []
    while ahead:
        for stat in children.get(ahead.pop(), ()):
            if stat.pid in known:
                continue
            known.add(stat.pid)
            ahead.append(stat.pid)
            if not stat.dead:
                found.append(ProcessMark(boot, stat.pid, stat.start))
    return found


def holders(device: int, inode: int) -> list[ProcessMark]:
    """Return the processes, except this one, that have the given file or pipe open.

    Processes of other users are seen by root only.
    """
    return _marks(pid for pid in _pids() if _descriptors(pid, device, inode))


def lock_holders(device: int, inode: int) -> list[ProcessMark]:
    """Return the processes, except this one, that share an exclusive flock on the given file.

    Whoever merely has the file open, to look whether it is locked, is not among them.
    """
    return _marks(
        pid
        for pid in _pids()
        if any(_locks(pid, number) for number in _descriptors(pid, device, inode))
    )


def _marks(pids: Iterable[int]) -> list[ProcessMark]:
    marks = (process_mark(pid) for pid in pids if pid != os.getpid())
    return [mark for mark in marks if mark is not None]


def _descriptors(pid: int, device: int, inode: int) -> list[str]:
    """Return the numbers of a process's descriptors of a file."""
    found = []
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        for entry in (_PROC / str(pid) / "fd").iterdir():
            with suppress(FileNotFoundError):
                stat = entry.stat()
                if (stat.st_dev, stat.st_ino) == (device, inode):
                    found.append(entry.name)
    return found


def _locks(pid: int, number: str) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        text = (_PROC / str(pid) / "fdinfo" / number).read_text()
        lines = [line.split() for line in text.splitlines() if line.startswith("lock:")]
        return any("FLOCK" in words and "WRITE" in words for words in lines)
    return False


def send(process: ProcessMark, number: signal.Signals) -> bool:
    """Signal this very process, never another that got its pid; False when it is gone.

    Raises PermissionError when it belongs to somebody else.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if not process.alive():
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True
