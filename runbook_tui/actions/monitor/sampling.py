"""Takes one sample after the other of all that a monitor watches.

A sample, as kept: `at` Unix seconds, `served` seconds of the watching so far, `requests` and
`errors` of this sample, `figures` by name (those of hosts by host below `cpu`, `memory`, `disk`),
`units` by name, `unread` with reasons, `limits` by figure (`cpu@app-1`) with `over` (breaches in a
row), `of` (as many break it), `max`, `min`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runbook_tui.actions.api import ActionFailed, Context, Job
from runbook_tui.actions.monitor import scraping
from runbook_tui.actions.monitor.probing import Prober
from runbook_tui.actions.monitor.scraping import Scraper
from runbook_tui.actions.shared import durations, http

if TYPE_CHECKING:
    from runbook_tui.actions.shared.host_resources import Reader

UNITS: Final = {
    "error_rate": "%",
    "p50": "ms",
    "p95": "ms",
    "p99": "ms",
    "cpu": "%",
    "memory": "%",
    "disk": "%",
}


@dataclass(slots=True)
class Figures:
    """What one sample measured: figures by name (`cpu@app-1`), and why others could not be read."""

    values: dict[str, float] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    errors: int = 0
    fault: str | None = None


class Sampler:
    """Everything that is watched, with its connections; close it."""

    def __init__(self, job: Job, context: Context) -> None:
        options = job.options
        self._context = context
        self._stack = ExitStack()
        self._stopping = threading.Event()
        context.on_stop(self._stopping.set)
        timeout = durations.seconds(options["timeout"])
        ca = str(Path(job.cwd) / options["ca"]) if options["ca"] else None
        session = self._stack.enter_context(http.client(ca=ca, timeout=timeout, keep_alive=False))
        window = durations.seconds(options["window"]) if options["window"] else 0.0
        self._prober = Prober(session, options["http"], options["requests"], timeout, window)
        self._scraper = Scraper(session, options["metrics"], timeout)
        self._readers = self._readers_of(job)
        self.units = UNITS | {each["name"]: scraping.unit(each) for each in options["metrics"]}

    def take(self) -> Figures:
        """Measure everything once; raises Stopped when the attempt is to stop."""
        found = Figures()
        if self._prober.probes:
            found.requests, found.errors, found.fault = self._prober.sample(self._context)
            found.values |= self._prober.figures()
            if "p50" not in found.values:
                found.unread |= dict.fromkeys(("p50", "p95", "p99"), found.fault or "no answer")
        values, unread = self._scraper.sample()
        found.values |= values
        found.unread |= unread
        for reader in self._readers:
            self._context.check_stop()
            self._read(reader, found)
        return found

    def close(self) -> None:
        """Close every connection."""
        self._stack.close()

    def _readers_of(self, job: Job) -> list[Reader]:
        if not job.hosts:
            return []
        # Fabric is slow to import, and most monitors go to no host.
        from runbook_tui.actions.shared.host_resources import Reader

        readers = [Reader(host, job.ssh_config, job.options["disks"]) for host in job.hosts]
        for reader in readers:
            self._stack.callback(reader.close)
        return readers

    def _read(self, reader: Reader, found: Figures) -> None:
        host = reader.host.name
        try:
            use = reader.read(self._stopping.is_set).figures()
        except ActionFailed as failure:
            self._context.check_stop()
            found.unread |= {
                f"{name}@{host}": failure.sentence for name in ("cpu", "memory", "disk")
            }
            return
        found.values |= {f"{name}@{host}": value for name, value in use.items()}


def nested(values: Mapping[str, float]) -> dict[str, float | dict[str, float]]:
    """Return figures with those of hosts by host: `cpu@app-1` becomes `cpu: {app-1: …}`."""
    found: dict[str, float | dict[str, float]] = {}
    for name, value in values.items():
        base, at, host = name.partition("@")
        group = found.setdefault(base, {}) if at else value
        if isinstance(group, dict):
            group[host] = value
        else:
            found[base] = group
    return found
