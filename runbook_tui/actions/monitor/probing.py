"""Asks URLs and makes figures of how often and how fast they answer."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from runbook_tui.actions.api import Context
from runbook_tui.actions.shared import http
from runbook_tui.actions.shared.http import NoAnswer


@dataclass(frozen=True, slots=True)
class Shot:
    """One request: when, how long in milliseconds (None without an answer), and what was wrong."""

    at: float
    took: float | None
    fault: str | None


@dataclass(slots=True)
class Prober:
    """Asks every URL some times a sample. `window` in seconds, 0 for one sample."""

    session: httpx.Client
    probes: Sequence[Mapping[str, Any]]
    requests: int
    limit: float
    window: float
    kept: deque[Shot] = field(default_factory=deque)

    def sample(self, context: Context) -> tuple[int, int, str | None]:
        """Ask; returns the numbers of requests and errors of this sample, and the last fault."""
        began = time.monotonic()
        shots = []
        for probe in self.probes:
            for _ in range(self.requests):
                context.check_stop()
                shots.append(self._shoot(probe))
        while self.kept and self.kept[0].at < began - self.window:
            self.kept.popleft()
        self.kept.extend(shots)
        faults = [shot.fault for shot in shots if shot.fault is not None]
        return len(shots), len(faults), faults[-1] if faults else None

    def figures(self) -> dict[str, float]:
        """Return the figures over what is kept."""
        errors = sum(shot.fault is not None for shot in self.kept)
        found = {"error_rate": round(100 * errors / max(len(self.kept), 1), 4)}
        times = sorted(shot.took for shot in self.kept if shot.took is not None)
        if times:
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
                found[name] = round(percentile(times, share), 2)
        return found

    def _shoot(self, probe: Mapping[str, Any]) -> Shot:
        at = time.monotonic()
        wanted = probe["status"] if isinstance(probe["status"], list) else [probe["status"]]
        try:
            request = self.session.build_request("GET", probe["url"], headers=probe["headers"])
            answer = http.fetch(self.session, request, self.limit)
        except (NoAnswer, httpx.InvalidURL) as fault:
            return Shot(at, None, f"{probe['url']}: {fault}")
        took = answer.seconds * 1000
        if answer.status not in wanted:
            return Shot(at, took, f"{probe['url']}: status {answer.status}")
        return Shot(at, took, None)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
