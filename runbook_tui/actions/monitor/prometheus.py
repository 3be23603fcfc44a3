"""Reads pages in Prometheus' text format, and makes figures of the series on them. Pure.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_LINE: Final = re.compile(
    r"(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)\s*(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)(?:\s+-?\d+)?\s*"
)
_LABEL: Final = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')
_ESCAPES: Final = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

Labels = tuple[tuple[str, str], ...]
Series = Mapping[Labels, float]
Page = Mapping[str, Series]


@dataclass(frozen=True, slots=True)
class Selector:
    """Which series count: their metric, and patterns for whole values of labels."""

    metric: str
    labels: Mapping[str, str]

    def of(self, page: Page, suffix: str = "") -> Series:
        """Return the series of a page that fit."""
        patterns = {name: re.compile(pattern) for name, pattern in self.labels.items()}
        return {
            labels: value
            for labels, value in page.get(self.metric + suffix, {}).items()
            if all(
                pattern.fullmatch(dict(labels).get(name, "")) for name, pattern in patterns.items()
            )
        }


def parse(text: str) -> Page:
    """Return the series by metric and labels; ValueError for a line that is none."""
    page: dict[str, dict[Labels, float]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"line {number} of the page is not in Prometheus' text format")
        page.setdefault(match["name"], {})[_labels(match["labels"] or "")] = float(match["value"])
    return page


def total(series: Series) -> float:
    """Return the sum of the series."""
    return sum(series.values())


def growth(before: Series, now: Series) -> float:
    """Return by how much counters have grown; one that fell has begun anew from 0."""
    return sum(
        value - before.get(labels, 0.0) if value >= before.get(labels, 0.0) else value
        for labels, value in now.items()
    )


def quantile(before: Series, now: Series, wanted: float) -> float | None:
    """Return a quantile of what a histogram's buckets have counted since; None when nothing was.

    Within a bucket values are taken to lie evenly, as in Prometheus' histogram_quantile.
    """
    counts = _counts(before, now)
    if not counts or counts[-1][1] <= 0:
        return None
    rank = wanted * counts[-1][1]
    low, below = 0.0, 0.0
    for bound, count in counts:
        if count >= rank:
            if math.isinf(bound):
                return low
            return low + (bound - low) * (rank - below) / (count - below) if count > below else low
        low, below = bound, count
    return low


def _counts(before: Series, now: Series) -> list[tuple[float, float]]:
    """Return (upper bound, growth up to it), summed over all other labels."""
    found: dict[float, float] = {}
    for labels, value in now.items():
        bound = dict(labels).get("le")
        if bound is not None:
            upper = float(bound)
            found[upper] = found.get(upper, 0.0) + growth(
                {labels: before.get(labels, 0.0)}, {labels: value}
            )
    return sorted(found.items())


def _labels(text: str) -> Labels:
    pairs: list[tuple[str, str]] = []
    place = 0
    while place < len(text.rstrip()):
        match = _LABEL.match(text, place)
        if match is None:
            raise ValueError(f"labels {{{text}}} are not in Prometheus' text format")
        value = re.sub(r"\\.", lambda each: _ESCAPES.get(each[0], each[0]), match[2])
        pairs.append((match[1], value))
        place = match.end()
    return tuple(sorted(pairs))
