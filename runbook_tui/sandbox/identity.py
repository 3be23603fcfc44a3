"""Which process is meant: boot id, process id and start time together, never a name.

A process id alone is reused within minutes on a busy machine; with its start time and the boot it
belongs to, it names one process for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Stat:
    """The fields of `/proc/PID/stat` that matter here; `start` in clock ticks since boot."""

    pid: int
    state: str
    parent: int
    session: int
    start: int


@dataclass(frozen=True, slots=True)
class Identity:
    """One process of one boot."""

    boot: str
    pid: int
    start: int

    def alive(self) -> bool:
        """Tell whether exactly this process still runs (a zombie does not)."""
        stat = read_stat(self.pid)
        return (
            self.boot == boot_id()
            and stat is not None
            and stat.start == self.start
            and stat.state not in "ZX"
        )


def boot_id() -> str:
    """Return the kernel's name for the present boot."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def parse_stat(line: str) -> Stat:
    """Read a line of `/proc/PID/stat`. The command's name may hold blanks and brackets.

    Raises ValueError when the line is not one.
    """
    head, bracket, tail = line.rpartition(")")
    fields = tail.split()
    if not bracket or len(fields) < 20:
        raise ValueError(f"not a line of /proc/PID/stat: {line!r}")
    return Stat(
        pid=int(head.split()[0]),
        state=fields[0],
        parent=int(fields[1]),
        session=int(fields[3]),
        start=int(fields[19]),
    )


def read_stat(pid: int) -> Stat | None:
    """Return what the kernel says of a process, None when there is none."""
    try:
        return parse_stat((PROC / str(pid) / "stat").read_text())
    except (OSError, ValueError):
        return None


def everyone() -> list[Stat]:
    """Return all processes that run now, zombies left out."""
    found = [read_stat(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit()]
    return [stat for stat in found if stat is not None and stat.state not in "ZX"]
