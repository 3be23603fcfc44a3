"""From a monitor's samples to the measures of its chart. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from widgets.monitor_chart import Measure

_UNITS = {"error_rate": "%", "p50": "ms", "p95": "ms", "p99": "ms"}
_NAMES = {"error_rate": "Error rate"}
_NO_MEASURE = frozenset({"at", "time", "number", "requests", "errors", "served", "elapsed"})


def measures(
    samples: Sequence[Mapping[str, Any]], options: Mapping[str, Any]
) -> tuple[Measure, ...]:
    """Return one measure for each figure of the samples; those with a limit come first."""
    limits: Mapping[str, Any] = options.get("limits") or {}
    allowed = int(options.get("breaches") or 3)
    points: dict[str, list[tuple[float, float]]] = {}
    for number, sample in enumerate(samples):
        when = _when(sample, number)
        for name, value in _figures(sample):
            points.setdefault(name, []).append((when, value))
    found = []
    for name in sorted(points, key=lambda name: (name.split("@")[0] not in limits, name)):
        limit = _limit(limits.get(name.split("@")[0]))
        over = _over(points[name], limit)
        unit = _UNITS.get(name, "%" if name.split("@")[0] in ("cpu", "memory", "disk") else "")
        found.append(
            Measure(_NAMES.get(name, name), unit, tuple(points[name]), limit, over, allowed)
        )
    return tuple(found)


def _figures(sample: Mapping[str, Any]) -> list[tuple[str, float]]:
    figures = sample.get("figures")
    source: Mapping[str, Any] = figures if isinstance(figures, Mapping) else sample
    found = []
    for name, value in source.items():
        if isinstance(value, bool) or name in _NO_MEASURE:
            continue
        if isinstance(value, int | float):
            found.append((name, float(value)))
        elif isinstance(value, Mapping):
            found.extend(
                (f"{name}@{host}", float(each))
                for host, each in value.items()
                if isinstance(each, int | float) and not isinstance(each, bool)
            )
    return found


def _when(sample: Mapping[str, Any], number: int) -> float:
    at = sample.get("at", sample.get("time"))
    if isinstance(at, int | float):
        return float(at)
    if isinstance(at, str):
        try:
            return datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()
        except ValueError:
            return float(number)
    return float(number)


def _limit(limit: object) -> float | None:
    if isinstance(limit, Mapping):
        limit = limit.get("max")
    try:
        return float(str(limit).rstrip("%ms ")) if limit is not None else None
    except ValueError:
        return None


def _over(points: Sequence[tuple[float, float]], limit: float | None) -> int:
    count = 0
    for _, value in reversed(points):
        if limit is None or value <= limit:
            break
        count += 1
    return count


def breaches(samples: Sequence[Mapping[str, Any]], last: Sequence[str]) -> tuple[str, ...]:
    """Return the last lines of the monitor's log, newest first, below its charts."""
    return tuple(reversed(last))[:6] if samples else ()
