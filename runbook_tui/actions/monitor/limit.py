"""Limits on figures, and how many samples in a row were out of bounds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runbook_tui.actions.shared import limits as figures
from state.json_value import Json


@dataclass(frozen=True, slots=True)
class Limit:
    """Bounds of a figure, and how many samples in a row beyond them break it."""

    max: float | None
    min: float | None
    breaches: int

    def broken_by(self, value: float) -> bool:
        """Tell whether a value is out of bounds."""
        return (self.max is not None and value > self.max) or (
            self.min is not None and value < self.min
        )

    def words(self, unit: str) -> str:
        """Return the bounds in words."""
        most = f"at most {shown(self.max, unit)}" if self.max is not None else ""
        least = f"at least {shown(self.min, unit)}" if self.min is not None else ""
        return " and ".join(filter(None, (least, most)))


def shown(value: float, unit: str) -> str:
    """Return a figure with its unit, short."""
    digits = f"{value:.0f}" if abs(value) >= 100 else f"{value:.4g}"
    return f"{digits} {unit}".rstrip()


def read(options: Mapping[str, Any]) -> dict[str, Limit]:
    """Return the limits of a step's options by figure."""
    found = {}
    for name, given in options["limits"].items():
        rule = given if isinstance(given, Mapping) else {"max": given}
        most, least = rule.get("max"), rule.get("min")
        found[name] = Limit(
            figures.figure(most) if most is not None else None,
            figures.figure(least) if least is not None else None,
            rule.get("breaches") or options["breaches"],
        )
    return found


@dataclass(slots=True)
class Watch:
    """Counts breaches in a row by figure (`p95`, `cpu@app-1`), and all of them."""

    limits: Mapping[str, Limit]
    row: dict[str, int] = field(default_factory=dict)
    total: int = 0

    def judge(self, name: str, value: float | None) -> bool | None:
        """Take a figure of a new sample, None for one that could not be read.

        Returns whether it is out of bounds, None when there is no limit on it.
        """
        limit = self.limit(name)
        if limit is None:
            return None
        out = value is None or limit.broken_by(value)
        self.row[name] = self.row.get(name, 0) + 1 if out else 0
        self.total += out
        return out

    def limit(self, name: str) -> Limit | None:
        """Return the limit on a figure; one on `cpu` holds for `cpu@app-1`."""
        return self.limits.get(name.partition("@")[0])

    def broken(self) -> list[str]:
        """Return the figures that were out of bounds too many times in a row."""
        return [
            name
            for name, count in self.row.items()
            if (limit := self.limit(name)) is not None and count >= limit.breaches
        ]

    def state(self) -> dict[str, Json]:
        """Return how each limited figure stands, for the sample."""
        return {
            name: {"over": count, "of": limit.breaches, "max": limit.max, "min": limit.min}
            for name, count in self.row.items()
            if (limit := self.limit(name)) is not None
        }
