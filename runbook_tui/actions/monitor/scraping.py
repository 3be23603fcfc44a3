"""Makes figures from `/metrics` pages, sample after sample."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from runbook_tui.actions.monitor import prometheus
from runbook_tui.actions.monitor.prometheus import Page, Selector, Series
from runbook_tui.actions.shared import http
from runbook_tui.actions.shared.http import NoAnswer


class NoSeries(Exception):  # noqa: N818 - it reads as what happened
    """A page holds nothing that fits; the text says what was looked for."""


@dataclass(slots=True)
class Scraper:
    """Reads the pages once a sample, and remembers the counters of the sample before."""

    session: httpx.Client
    metrics: Sequence[Mapping[str, Any]]
    limit: float
    before: dict[tuple[str, str], Series] = field(default_factory=dict)
    read_at: dict[str, float] = field(default_factory=dict)

    def sample(self) -> tuple[dict[str, float], dict[str, str]]:
        """Return the figures, and for those that could not be read why.

        A figure that needs the sample before is in neither when there is none.
        """
        pages: dict[str, Page | str] = {}
        figures: dict[str, float] = {}
        faults: dict[str, str] = {}
        for metric in self.metrics:
            name, url = metric["name"], metric["url"]
            if url not in pages:
                pages[url] = self._page(url)
            page = pages[url]
            if isinstance(page, str):
                faults[name] = page
                continue
            try:
                value = self._measure(metric, page)
            except NoSeries as fault:
                faults[name] = str(fault)
                continue
            if value is not None and math.isfinite(value):
                figures[name] = round(value, 4)
            elif value is not None:
                faults[name] = f"{url}: {metric['metric']} is {value}"
        return figures, faults

    def _page(self, url: str) -> Page | str:
        try:
            answer = http.fetch(self.session, self.session.build_request("GET", url), self.limit)
            if answer.status != 200:
                return f"{url}: status {answer.status}"
            return prometheus.parse(answer.text)
        except (NoAnswer, httpx.InvalidURL, ValueError) as fault:
            return f"{url}: {fault}"

    def _measure(self, metric: Mapping[str, Any], page: Page) -> float | None:
        kind = metric["measure"]
        selector = Selector(metric["metric"], metric["labels"])
        if kind == "value":
            return prometheus.total(_some(selector, page))
        if kind == "rate":
            return self._rate(metric["name"], _some(selector, page))
        if kind == "share":
            part = self._growth(metric["name"], "part", selector.of(page))
            of = Selector(metric["of"]["metric"], metric["of"]["labels"])
            whole = self._growth(metric["name"], "whole", _some(of, page))
            if part is None or whole is None:
                return None
            return 100 * part / whole if whole > 0 else 0.0
        return self._quantile(metric, _some(selector, page, "_bucket"))

    def _rate(self, name: str, series: Series) -> float | None:
        now = time.monotonic()
        then = self.read_at.get(name)
        self.read_at[name] = now
        grown = self._growth(name, "rate", series)
        return None if grown is None or then is None else grown / max(now - then, 1e-9)

    def _growth(self, name: str, part: str, now: Series) -> float | None:
        before = self.before.get((name, part))
        self.before[name, part] = now
        return None if before is None else prometheus.growth(before, now)

    def _quantile(self, metric: Mapping[str, Any], now: Series) -> float | None:
        before = self.before.get((metric["name"], "buckets"))
        self.before[metric["name"], "buckets"] = now
        if before is None:
            return None
        found = prometheus.quantile(before, now, metric["quantile"])
        in_seconds = metric["metric"].endswith("_seconds")
        return found * 1000 if found is not None and in_seconds else found


def unit(metric: Mapping[str, Any]) -> str:
    """Return the unit of a metric's figure."""
    if metric["measure"] == "share":
        return "%"
    if metric["measure"] == "quantile" and metric["metric"].endswith("_seconds"):
        return "ms"
    return str(metric["unit"])


def _some(selector: Selector, page: Page, suffix: str = "") -> Series:
    found = selector.of(page, suffix)
    if not found:
        raise NoSeries(f"the page has no series {selector.metric}{suffix} that fits")
    return found
