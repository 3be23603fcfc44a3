"""Which machine, which boot and which process: what liveness is judged by.

A pid alone means nothing (they go round); a process is known by its boot, its pid and the time the
kernel started it.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

_MACHINE_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")
_BOOT_FILE = "/proc/sys/kernel/random/boot_id"
_STATE, _START = 0, 19
"""Places of the state and start time in /proc/PID/stat, counted after the command's name."""


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """A process that cannot be mistaken for a later one; `start` is in clock ticks after boot."""

    boot: str
    pid: int
    start: int

    def alive(self) -> bool:
        """Whether this very process still runs here (a zombie does not)."""
        return self.boot == boot_id() and process_start(self.pid) == self.start


def machine_id() -> str:
    """Return the machine's id; where the system has none, its host name says which it is."""
    for name in _MACHINE_FILES:
        try:
            found = Path(name).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if found and found != "uninitialized":
            return found
    return f"host-{socket.gethostname()}"


def host_name() -> str:
    """Return the name by which people know this machine, without its domain."""
    return socket.gethostname().partition(".")[0]


def boot_id() -> str:
    """Return the id of this boot of the kernel."""
    return Path(_BOOT_FILE).read_text("ascii").strip()


def process_start(pid: int) -> int | None:
    """Return when the process started, in ticks after boot; None when it does not run."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    words = stat[stat.rindex(b")") + 2 :].split()
    return None if words[_STATE] in (b"Z", b"X") else int(words[_START])


def process_stopped(pid: int) -> bool:
    """Whether a process of this machine is stopped (SIGSTOP, a debugger); False for none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat[stat.rindex(b")") + 2 :].split()[_STATE] in (b"T", b"t")


def process_mark(pid: int) -> ProcessMark | None:
    """Return the mark of a running process; None when it does not run (any more)."""
    start = process_start(pid)
    return None if start is None else ProcessMark(boot_id(), pid, start)
