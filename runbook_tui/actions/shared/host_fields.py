"""Options that the actions on hosts share. Read by the driver only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbook_tui.actions.api import Reach

Hosts = str | list[str]
"""A host or group of the inventory, or a list of them."""


def names(hosts: object) -> tuple[str, ...]:
    """Return the names that a `hosts` option holds, in either spelling."""
    if isinstance(hosts, str):
        return (hosts,)
    return tuple(str(name) for name in hosts) if isinstance(hosts, list) else ()


def shown(options: Mapping[str, Any]) -> str:
    """Return the names for a line of a plan."""
    return ", ".join(names(options.get("hosts")))


def reaches(options: Mapping[str, Any]) -> tuple[Reach, ...]:
    """Return what `doctor` looks at for a `hosts` option: a host or group each."""
    return tuple(Reach("host", name) for name in names(options.get("hosts")))
