"""Outputs of several hosts, and what all of them agree on."""

from __future__ import annotations

from collections.abc import Mapping


def agreed(by_host: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the outputs that every host gives with the same value."""
    hosts = list(by_host.values())
    if not hosts:
        return {}
    first, *others = hosts
    return {
        name: value
        for name, value in first.items()
        if all(other.get(name) == value for other in others)
    }
