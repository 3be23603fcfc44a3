"""How variables differ from those of what is in service. Pure; no value is ever said."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """The names of the variables that are new, have another value, or are there no more."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]

    def told(self) -> str:
        """Return it in a line."""
        parts = [("new", self.new), ("changed", self.changed), ("gone", self.gone)]
        said = [f"{word} {', '.join(names)}" for word, names in parts if names]
        return "; ".join(said) or "no difference"


def difference(
    now: Mapping[str, str], there: Mapping[str, str], besides: Collection[str]
) -> Difference:
    """Compare variables with those that something was started with, some names left out."""
    names = [name for name in sorted({*now, *there}) if name not in besides]
    both = [name for name in names if name in now and name in there]
    return Difference(
        new=tuple(name for name in names if name not in there),
        changed=tuple(name for name in both if now[name] != there[name]),
        gone=tuple(name for name in names if name not in now),
    )


def by_host(told: Mapping[str, str]) -> str:
    """Return what is said of each host in a line, hosts of which the same is said together."""
    hosts: dict[str, list[str]] = {}
    for host, said in told.items():
        hosts.setdefault(said, []).append(host)
    return "; ".join(f"{', '.join(names)}: {said}" for said, names in hosts.items())
