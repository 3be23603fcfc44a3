"""Watches figures for a time: sample after sample, each kept, each judged by the limits."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from runbook_tui.actions.api import ActionFailed, Context, Evidence, Finding, Job, Outcome
from runbook_tui.actions.monitor import limit, served
from runbook_tui.actions.monitor.limit import Watch
from runbook_tui.actions.monitor.sampling import Figures, Sampler, nested
from runbook_tui.actions.shared import durations
from state.json_value import Json
from state.status import Verdict


def perform(job: Job, context: Context) -> Outcome:
    """Watch to the end of the time, or until a limit is broken."""
    monitor = Monitor(job, context)
    monitor.take_up()
    with closing(Sampler(job, context)) as sampler:
        monitor.watch_with(sampler)
    return monitor.outcome()


def probe(job: Job, context: Context) -> Finding:
    """Watching changes nothing: it can go on."""
    return Finding(Verdict.ABSENT, "Watching changes nothing: it goes on where it was.")


@dataclass(slots=True)
class Monitor:
    """One watching, over all attempts that were interrupted."""

    job: Job
    context: Context
    samples: list[Mapping[str, Any]] = field(default_factory=list)
    watch: Watch = field(init=False)
    fault: str | None = None
    """How a limit was broken first."""

    def __post_init__(self) -> None:
        self.watch = Watch(limit.read(self.job.options))

    def take_up(self) -> None:
        """Keep the samples of an interrupted attempt as the first of ours."""
        for sample in served.earlier(self.job.previous):
            self._write(sample)
        served.count_on(self.watch, self.samples)
        if self.samples:
            done = durations.shown(served.seconds(self.samples))
            self.context.log(f"goes on: {done} served, {len(self.samples)} samples kept")

    def watch_with(self, sampler: Sampler) -> None:
        """Sample until the time is served; ActionFailed as soon as a limit is broken."""
        whole = durations.seconds(self.job.options["for"])
        every = durations.seconds(self.job.options["every"])
        before = served.seconds(self.samples)
        began, number = time.monotonic(), 0
        while True:
            figures = sampler.take()
            done = min(before + time.monotonic() - began, whole)
            self._keep(figures, sampler.units, done)
            if self.job.options["early"]:
                self._insist()
            if done >= whole:
                break
            number += 1
            self._tell(figures, sampler.units, whole - done, done / whole)
            due = min(began + number * every, began + whole - before)
            self.context.wait(max(0.0, due - time.monotonic()))
        self._insist()

    def outcome(self) -> Outcome:
        """Return the figures over all samples."""
        return Outcome(outputs=self._outputs(), evidence=(self._evidence(),))

    def _keep(self, figures: Figures, units: Mapping[str, str], done: float) -> None:
        for name in sorted(figures.values.keys() | figures.unread.keys()):
            value = figures.values.get(name)
            unit = units.get(name.partition("@")[0], "")
            was = self.watch.row.get(name, 0)
            out = self.watch.judge(name, value)
            if out:
                self._complain(name, value, unit, figures.unread.get(name))
            elif was:
                self.context.log(f"{name} is within its limit again")
            elif out is None and value is None:
                self.context.log(f"{name} could not be read: {figures.unread[name]}")
        if figures.errors:
            self.context.log(f"{figures.errors} of {figures.requests} requests: {figures.fault}")
        sample: dict[str, Json] = {
            "at": round(time.time(), 3),
            "served": round(done, 3),
            "requests": figures.requests,
            "errors": figures.errors,
            "figures": nested(figures.values),
            "units": {name: units.get(name, "") for name in nested(figures.values)},
            "unread": figures.unread,
            "limits": self.watch.state(),
        }
        self._write(sample)
        if self.fault is None and (broken := self.watch.broken()):
            self.fault = self._sentence(broken[0])

    def _write(self, sample: Mapping[str, Json]) -> None:
        try:
            self.context.sample(sample)
        except OSError as fault:
            raise ActionFailed(
                f"A sample could not be kept: {fault.strerror}. What is not kept is not watched.",
                effect="none",
            ) from fault
        self.samples.append(sample)

    def _complain(self, name: str, value: float | None, unit: str, why: str | None) -> None:
        rule = self.watch.limit(name)
        if rule is None:
            return
        said = f"cannot be read ({why})" if value is None else limit.shown(value, unit)
        self.context.log(
            f"{name} {said}, limit {rule.words(unit)} ({self.watch.row[name]} of {rule.breaches})"
        )

    def _tell(self, figures: Figures, units: Mapping[str, str], left: float, part: float) -> None:
        limited = [name for name in figures.values if self.watch.limit(name)]
        names = limited or list(figures.values)
        shown = [
            f"{name} {limit.shown(figures.values[name], units.get(name.partition('@')[0], ''))}"
            for name in names[:4]
        ]
        self.context.progress(f"{durations.shown(left)} left. {', '.join(shown)}", part)

    def _insist(self) -> None:
        if self.fault is not None:
            raise ActionFailed(
                self.fault,
                effect="none",
                cause="limit",
                evidence=(self._evidence(),),
                outputs=self._outputs(),
            )

    def _sentence(self, name: str) -> str:
        rule = self.watch.limit(name)
        expected = rule.words(self._unit(name)) if rule else ""
        return (
            f"{name} was out of bounds {self.watch.row[name]} times in a row: {self._last(name)}, "
            f"and {expected} was expected."
        )

    def _last(self, name: str) -> str:
        sample = self.samples[-1]
        base, _, host = name.partition("@")
        value = sample["figures"].get(base)
        if isinstance(value, Mapping):
            value = value.get(host)
        return "it cannot be read" if value is None else limit.shown(value, self._unit(name))

    def _unit(self, name: str) -> str:
        return str(self.samples[-1]["units"].get(name.partition("@")[0], ""))

    def _outputs(self) -> dict[str, str]:
        found = {"samples": str(len(self.samples)), "breaches": str(self.watch.total)}
        if not self.job.options["http"]:
            return found
        requests = sum(int(sample["requests"]) for sample in self.samples)
        errors = sum(int(sample["errors"]) for sample in self.samples)
        found |= {"requests": str(requests), "errors": str(errors)}
        found["error_rate"] = f"{100 * errors / max(requests, 1):.4g}"
        series = self._series()
        for name in ("p50", "p95", "p99"):
            found[name] = f"{max(series[name]):.4g}" if name in series else ""
        return found

    def _series(self) -> dict[str, list[float]]:
        series: dict[str, list[float]] = {}
        for sample in self.samples:
            for name, value in sample["figures"].items():
                by_host = value.items() if isinstance(value, Mapping) else [("", value)]
                for host, each in by_host:
                    series.setdefault(f"{name}@{host}" if host else name, []).append(each)
        return series

    def _evidence(self) -> Evidence:
        time_served = served.seconds(self.samples)
        data: dict[str, Json] = {
            name: {"min": min(values), "mean": fmean(values), "max": max(values), "n": len(values)}
            for name, values in self._series().items()
        }
        words = [
            f"{name} at most {limit.shown(max(values), self._unit(name))}"
            for name, values in sorted(self._series().items(), key=self._limited_first)[:3]
        ]
        summary = f"{len(self.samples)} samples in {durations.shown(time_served)}"
        return Evidence(
            "samples",
            f"{summary}: {', '.join(words)}" if words else summary,
            {"samples": len(self.samples), "served": time_served, "figures": data},
        )

    def _limited_first(self, item: tuple[str, Sequence[float]]) -> bool:
        return self.watch.limit(item[0]) is None
