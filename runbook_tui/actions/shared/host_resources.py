"""Reads a host's CPU, memory and disk over SSH: one small script, its answer parsed here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from runbook_tui.actions.api import ActionFailed, Host
from runbook_tui.actions.shared import ssh_connection

TIMEOUT: Final = 15.0
"""Seconds to connect."""

_PERCENT: Final = re.compile(r"\d+%").fullmatch

_SCRIPT: Final = """\
grep '^cpu ' /proc/stat
[ "$1" = first ] && sleep 0.5 && grep '^cpu ' /proc/stat
grep -E '^(MemTotal|MemAvailable):' /proc/meminfo
shift
LC_ALL=C df -P -k -- "$@" | sed 's/^/df /'
"""


@dataclass(frozen=True, slots=True)
class Use:
    """What is in use, in percent; `disk` is of the fullest of the file systems asked for."""

    cpu: float
    memory: float
    disk: float

    def figures(self) -> Mapping[str, float]:
        """Return the figures by name."""
        return {"cpu": self.cpu, "memory": self.memory, "disk": self.disk}


class Reader:
    """Reads one host again and again over one connection, opened when first needed."""

    def __init__(self, host: Host, ssh_config: str | None, disks: Sequence[str]) -> None:
        self.host = host
        self._ssh_config = ssh_config
        self._disks = disks
        self._connection: ssh_connection.HostConnection | None = None
        self._ticks: tuple[int, int] | None = None

    def read(self, stop: Callable[[], bool]) -> Use:
        """Return what is in use since the reading before; ActionFailed says why it cannot be."""
        if self._connection is None or not self._connection.alive():
            self.close()
            self._connection = ssh_connection.connect(self.host, self._ssh_config, TIMEOUT)
        mode = "first" if self._ticks is None else "again"
        command = shlex.join(["sh", "-s", "--", mode, *self._disks])
        found = bytearray()
        code = self._connection.execute(
            command,
            stdin=_SCRIPT.encode(),
            output=lambda data, stream: found.extend(data),
            stop=stop,
        )
        text = found.decode(errors="replace")
        if code != 0:
            raise ActionFailed(
                f"The use of {self.host.name} cannot be read: {_last(text) or 'no answer'}.",
                effect="none",
                cause="connection" if code is None else None,
            )
        try:
            use, self._ticks = parse(text, self._ticks)
        except ValueError as fault:
            raise ActionFailed(
                f"The use of {self.host.name} cannot be read: {fault}.", effect="none"
            ) from fault
        return use

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def parse(text: str, before: tuple[int, int] | None) -> tuple[Use, tuple[int, int]]:
    """Return the use, and the CPU ticks (busy, all) to compare the next reading with.

    Raises ValueError when a figure is missing.
    """
    ticks = [_ticks(line) for line in text.splitlines() if line.startswith("cpu ")]
    memory = {
        name: int(rest.split()[0])
        for name, _, rest in (line.partition(":") for line in text.splitlines())
        if name in {"MemTotal", "MemAvailable"}
    }
    disks = [line.split() for line in text.splitlines() if line.startswith("df ")]
    full = [int(words[5][:-1]) for words in disks if len(words) > 5 and _PERCENT(words[5])]
    readings = [*([before] if before else []), *ticks]
    if len(readings) < 2:
        raise ValueError("/proc/stat has no line of the CPU")
    if len(memory) < 2:
        raise ValueError("/proc/meminfo has no MemAvailable")
    if not full:
        raise ValueError("df names no file system")
    (busy, total), (later_busy, later_total) = readings[-2], readings[-1]
    cpu = 100 * (later_busy - busy) / max(later_total - total, 1)
    used = 100 * (1 - memory["MemAvailable"] / max(memory["MemTotal"], 1))
    return Use(round(cpu, 1), round(used, 1), float(max(full))), readings[-1]


def _ticks(line: str) -> tuple[int, int]:
    numbers = [int(word) for word in line.split()[1:9]]
    idle = numbers[3] + numbers[4]
    return sum(numbers) - idle, sum(numbers)


def _last(text: str) -> str:
    lines = [line.removeprefix("df ").strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else ""
