"""Whether a process that stands in a shared place ran on this machine, and is gone.

A name or an id of a machine is no proof: machines are copied with theirs. What proves it is the
kernel's own: the id of this boot, the process and time namespaces (by which pids and start times
are counted), and that no process there has that pid and start time.
"""

from __future__ import annotations

import os
from pathlib import Path

from state.stores.machine import boot_id, process_start

_NAMESPACES = ("pid", "time")


def own() -> str:
    """Return what `gone` needs to know of this process; empty where that cannot be told."""
    place = _place()
    start = process_start(os.getpid()) if place else None
    return f"{place} {start}" if start is not None else ""


def gone(recorded: str, pid: int) -> bool:
    """Whether the process that `own` was recorded of ran here and does not run any more.

    False wherever that is not certain: on another machine, in another container, or hidden.
    """
    place, _, start = recorded.rpartition(" ")
    if not place or place != _place():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # somebody else's: it is there
    found = process_start(pid)
    # Not to be seen in /proc although it is there: hidden from this user, or not yet reaped.
    return found is not None and str(found) != start


def _place() -> str:
    """Return in which boot and namespaces pids and start times are those of this process."""
    try:
        if Path("/proc/self").readlink().name != str(os.getpid()):
            return ""  # /proc shows other processes than those that this one can see
        found = [_namespace(name) for name in _NAMESPACES]
        return " ".join([boot_id(), *found])
    except OSError:
        return ""


def _namespace(name: str) -> str:
    try:
        return str(Path(f"/proc/self/ns/{name}").readlink())
    except FileNotFoundError:
        return f"{name}:none"  # a kernel without such namespaces
