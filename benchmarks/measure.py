"""Figures and how they are taken: ours and the baseline in turn, in one run, then the medians."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal

Take = Callable[[], float]
"""Takes one measurement and returns it, in the figure's unit."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure may be at most: its value, or its ratio to the baseline."""

    of: Literal["value", "ratio"]
    most: float

    def words(self, unit: str) -> str:
        """Return the limit as a person reads it."""
        if self.of == "value":
            return f"≤ {number(self.most)} {unit}"
        return f"≤ {number(self.most)}×" if self.most >= 1 else f"{1 / self.most:.0f}× cheaper"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `baseline` is None where there is nothing to compare with."""

    what: str
    unit: str
    ours: float
    baseline_name: str = ""
    baseline: float | None = None
    limit: Limit | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours divided by the baseline."""
        return None if not self.baseline else self.ours / self.baseline

    @property
    def kept(self) -> bool | None:
        """Whether the limit is kept; None without one, or without a baseline to hold against."""
        if self.limit is None:
            return None
        value = self.ours if self.limit.of == "value" else self.ratio
        return None if value is None else value <= self.limit.most


@dataclass(frozen=True, slots=True)
class Place:
    """Where a benchmark works. `share` is the part of the full size that is measured (0 to 1)."""

    directory: Path
    share: float
    rounds: int
    notes: list[str] = field(default_factory=list)
    """What the reader of the table must know besides."""

    def size(self, full: int, least: int) -> int:
        """Return a size: the full one, or the share of it that was asked for."""
        return max(least, int(full * self.share))

    def folder(self, name: str) -> Path:
        """Return a new directory."""
        path = self.directory / name
        path.mkdir(parents=True)
        return path


def alternate(takes: Sequence[Take], rounds: int, *, warm: bool = True) -> list[float]:
    """Take all measurements in turn, `rounds` times, and return the median of each.

    With `warm` a first round, which fills caches, does not count.
    """
    taken: list[list[float]] = [[] for _ in takes]
    for number_ in range(rounds + warm):
        for kept, take in zip(taken, takes, strict=True):
            value = take()
            if number_ >= warm:
                kept.append(value)
    return [median(kept) for kept in taken]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def wall(act: Callable[[], object], times: int = 1) -> float:
    """Return the milliseconds that an act takes by the clock, on the average of some times."""
    gc.collect()
    begun = time.perf_counter()
    for _ in range(times):
        act()
    return (time.perf_counter() - begun) * 1000 / times


def cpu(act: Callable[[], object]) -> float:
    """Return the milliseconds of processor time that an act takes in this process."""
    gc.collect()
    begun = time.process_time()
    act()
    return (time.process_time() - begun) * 1000


def number(value: float) -> str:
    """Return a figure with three digits that mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
