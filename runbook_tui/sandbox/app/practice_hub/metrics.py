"""Counters and histograms in Prometheus' text format."""

from __future__ import annotations

from threading import Lock

BUCKETS = (0.005, 0.025, 0.1, 0.5, 2.5)


def _labels(names: tuple[str, ...], values: tuple[str, ...], *more: str) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True)]
    return "{" + ",".join([*pairs, *more]) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class Counter:
    """Counts events by their labels."""

    def __init__(self, name: str, help_: str, labels: tuple[str, ...]) -> None:
        self.name, self.help, self.labels = name, help_, labels
        self._lock = Lock()
        self._counts: dict[tuple[str, ...], int] = {}

    def add(self, *labels: str) -> None:
        """Count one event."""
        with self._lock:
            self._counts[labels] = self._counts.get(labels, 0) + 1

    def lines(self) -> list[str]:
        """Return the metric in the text format."""
        with self._lock:
            counts = sorted(self._counts.items())
        head = [f"# HELP {self.name} {self.help}", f"# TYPE {self.name} counter"]
        return head + [f"{self.name}{_labels(self.labels, key)} {count}" for key, count in counts]


class Histogram:
    """Sorts durations in seconds into buckets, by their labels."""

    def __init__(self, name: str, help_: str, labels: tuple[str, ...]) -> None:
        self.name, self.help, self.labels = name, help_, labels
        self._lock = Lock()
        self._seen: dict[tuple[str, ...], list[float]] = {}

    def observe(self, seconds: float, *labels: str) -> None:
        """Take note of one duration."""
        with self._lock:
            row = self._seen.setdefault(labels, [0.0] * (len(BUCKETS) + 2))
            for place, bound in enumerate(BUCKETS):
                row[place] += seconds <= bound
            row[-2] += 1
            row[-1] += seconds

    def lines(self) -> list[str]:
        """Return the metric in the text format."""
        with self._lock:
            seen = sorted((key, list(row)) for key, row in self._seen.items())
        lines = [f"# HELP {self.name} {self.help}", f"# TYPE {self.name} histogram"]
        for key, row in seen:
            bounds = [*map(str, BUCKETS), "+Inf"]
            for bound, count in zip(bounds, row[:-1], strict=True):
                labels = _labels(self.labels, key, f'le="{bound}"')
                lines.append(f"{self.name}_bucket{labels} {count:.0f}")
            labels = _labels(self.labels, key)
            lines.append(f"{self.name}_count{labels} {row[-2]:.0f}")
            lines.append(f"{self.name}_sum{labels} {row[-1]:.6f}")
        return lines


request_seconds = Histogram(
    "http_request_duration_seconds",
    "Duration of HTTP requests in seconds",
    ("method", "route", "status"),
)
query_seconds = Histogram(
    "database_query_duration_seconds",
    "Duration of database queries in seconds",
    ("table", "operation"),
)
errors = Counter(
    "application_errors_total", "Total number of application errors", ("type", "severity")
)


def page() -> str:
    """Return everything that is measured."""
    metrics = (request_seconds, query_seconds, errors)
    return "\n".join(line for metric in metrics for line in metric.lines()) + "\n"
