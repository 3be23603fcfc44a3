"""From a monitor's samples to the measures of its chart. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from widgets.monitor_chart import Measure

_NAMES = {"error_rate": "Error rate"}

MOST_LINES = 6
"""Lines of the log under the charts."""


def measures(samples: Sequence[Mapping[str, Any]]) -> tuple[Measure, ...]:
    """Return one measure for each figure of the samples; those with a limit come first.

    A sample holds `at` (Unix seconds), `figures` by name (or by name and host), `units`, and
    `limits`: how each limited figure stands (`over of max min`).
    """
    points: dict[str, list[tuple[float, float]]] = {}
    for number, sample in enumerate(samples):
        when = float(sample.get("at", number))
        for name, value in _figures(sample):
            points.setdefault(name, []).append((when, value))
    last: Mapping[str, Any] = samples[-1] if samples else {}
    limits: Mapping[str, Any] = last.get("limits") or {}
    units: Mapping[str, Any] = last.get("units") or {}
    found = []
    for name in sorted(points, key=lambda name: (name not in limits, name)):
        stands: Mapping[str, Any] = limits.get(name) or {}
        most = stands.get("max")
        found.append(
            Measure(
                name=_NAMES.get(name, name),
                unit=str(units.get(name.partition("@")[0], "")),
                points=tuple(points[name]),
                limit=float(most) if most is not None else None,
                over=int(stands.get("over") or 0),
                allowed=int(stands.get("of") or 0),
            )
        )
    return tuple(found)


def _figures(sample: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield each figure by its name; one of several hosts as `cpu@app-1`."""
    figures: Mapping[str, Any] = sample.get("figures") or {}
    for name, value in figures.items():
        by_host = value.items() if isinstance(value, Mapping) else [("", value)]
        for host, each in by_host:
            if isinstance(each, int | float) and not isinstance(each, bool):
                yield (f"{name}@{host}" if host else name), float(each)


def last_said(last: Sequence[str]) -> tuple[str, ...]:
    """Return the last lines of the monitor's log, newest first, for below its charts."""
    return tuple(reversed(last))[:MOST_LINES]
