"""What the figures were taken on: machine, system, versions."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path


def describe(folder: Path) -> list[tuple[str, str]]:
    """Return names and values; `folder` lies on the disk that was measured."""
    return [
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("disk", f"{_file_system(folder)} at {_mount(folder)}"),
        ("Python", platform.python_version()),
        ("SQLite", sqlite3.sqlite_version),
        *((name, version(name)) for name in ("runbook-tui", "textual", "click", "hyperscan")),
    ]


def load() -> float:
    """Return how many processes wanted a processor over the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        names = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
        return next(names, platform.machine())


def _mount(folder: Path) -> Path:
    place = folder.resolve()
    while not place.is_mount():
        place = place.parent
    return place


def _file_system(folder: Path) -> str:
    mount = str(_mount(folder))
    with Path("/proc/mounts").open(encoding="utf-8") as file:
        found = [line.split()[2] for line in file if line.split()[1] == mount]
    return found[-1] if found else "unknown"
