"""What is known of `monitor` before it acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from runbook_tui.actions.api import Reach, Row, Spec
from runbook_tui.actions.shared.fields import Duration, Options, Pattern, Scalar
from runbook_tui.actions.shared.limit_fields import Figure

PROBED: Final = ("error_rate", "p50", "p95", "p99")
"""What probing by HTTP measures."""
HOST_METRICS: Final = ("cpu", "memory", "disk")
"""What is measured on hosts, in percent used."""

MetricName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Probe(Options):
    """A URL that is asked in every sample."""

    url: str = Field(min_length=1, description="URL to ask.")
    status: int | list[int] = Field(
        default_factory=lambda: [200], description="Status, or list of statuses, that is no error."
    )
    headers: dict[str, Scalar] = Field(default_factory=dict, description="Headers to send.")


class Selector(Options):
    """Series of a `/metrics` page."""

    metric: str = Field(min_length=1, description="Name of the metric.")
    labels: dict[str, Pattern] = Field(
        default_factory=dict,
        description="Labels: regular expressions that must match each label's whole value. "
        "What is measured is the sum of the series that fit.",
    )


class Metric(Selector):
    """A figure made from a page in Prometheus' text format."""

    name: MetricName = Field(description="Name of the figure, for `limits` and the chart.")
    url: str = Field(min_length=1, description="URL of the page.")
    measure: Literal["value", "rate", "share", "quantile"] = Field(
        default="value",
        description="`value`: the number itself. `rate`: its growth per second since the sample "
        "before. `share`: its growth in percent of the growth of `of`. `quantile`: of a "
        "histogram's growth, in milliseconds when the metric is in seconds.",
    )
    of: Selector | None = Field(default=None, description="The whole, for `measure: share`.")
    quantile: float | None = Field(
        default=None, gt=0, lt=1, description="Such as 0.95, for `measure: quantile`."
    )
    unit: str = Field(default="", description="Unit to show for `value` and `rate`.")

    @model_validator(mode="after")
    def _complete(self) -> Metric:
        if (self.of is not None) != (self.measure == "share"):
            raise ValueError("of goes with measure: share, and the other way round")
        if (self.quantile is not None) != (self.measure == "quantile"):
            raise ValueError("quantile goes with measure: quantile, and the other way round")
        return self


class Limit(Options):
    """When a figure is out of bounds. One that cannot be read counts as out of bounds."""

    max: Figure | None = Field(default=None, description="More than this is out of bounds.")
    min: Figure | None = Field(default=None, description="Less than this is out of bounds.")
    breaches: int | None = Field(
        default=None, ge=1, description="As the step's `breaches`, for this figure."
    )

    @model_validator(mode="after")
    def _something(self) -> Limit:
        if self.max is None and self.min is None:
            raise ValueError("give max or min")
        return self


class MonitorOptions(Options):
    """Options of `monitor`: at least one of `http`, `metrics` and `hosts` is watched."""

    for_: Duration = Field(
        alias="for",
        description="How long to watch. After an interruption the time already served counts.",
    )
    every: Duration = Field(default="10s", description="Time from one sample to the next.")
    http: list[Probe] = Field(
        default_factory=list,
        description="URLs to ask in every sample; together they give `error_rate` in percent and "
        "`p50`, `p95`, `p99` in milliseconds. As outputs, `error_rate` is over all requests, and "
        "the others are the highest of the samples.",
    )
    requests: int = Field(
        default=5, ge=1, le=1000, description="How often each URL is asked in one sample."
    )
    window: Duration | None = Field(
        default=None,
        description="Time over which requests count for the figures of `http`. Default: one "
        "sample.",
    )
    timeout: Duration = Field(
        default="10s", description="How long one request may take; longer is an error."
    )
    ca: str | None = Field(
        default=None,
        description="File of the certificate authorities to trust instead of the system's.",
    )
    metrics: list[Metric] = Field(
        default_factory=list, description="Figures from pages in Prometheus' text format."
    )
    hosts: str | list[str] | None = Field(
        default=None,
        description="Hosts, or groups of them, whose `cpu`, `memory` and `disk` are read over SSH, "
        "in percent used.",
    )
    disks: list[str] = Field(
        default_factory=lambda: ["/"], description="Paths whose file systems `disk` looks at."
    )
    limits: dict[MetricName, Figure | Limit] = Field(
        default_factory=dict,
        description="Limits by figure: the most it may be, or `{max, min, breaches}`. A limit on "
        "`cpu`, `memory` or `disk` holds for each host.",
    )
    breaches: int = Field(
        default=3,
        ge=1,
        description="How many samples in a row must be out of bounds to fail the step.",
    )
    early: bool = Field(
        default=True,
        description="Fail as soon as a limit is broken; otherwise watch to the end, then fail.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> MonitorOptions:
        if not (self.http or self.metrics or self.hosts):
            raise ValueError("give at least one of http, metrics and hosts to watch")
        known = [*(PROBED if self.http else ()), *(HOST_METRICS if self.hosts else ())]
        known += [metric.name for metric in self.metrics]
        for name in known:
            if known.count(name) > 1:
                raise ValueError(f"two figures have the name {name!r}")
        for name in self.limits:
            if name not in known:
                raise ValueError(f"nothing here measures {name!r}; measured: {', '.join(known)}")
        return self


def _watched(options: Mapping[str, Any]) -> tuple[str, ...]:
    urls = [str(probe.get("url")) for probe in options.get("http") or ()]
    urls += [f"{item.get('name')} at {item.get('url')}" for item in options.get("metrics") or ()]
    hosts = options.get("hosts") or ()
    names = [hosts] if isinstance(hosts, str) else list(hosts)
    return (*urls, *(f"CPU, memory, disk of {name}" for name in names))


def _limit(limit: object) -> str:
    if not isinstance(limit, Mapping):
        return f"at most {limit}"
    words = {"max": "at most", "min": "at least"}
    return ", ".join(f"{words[key]} {limit[key]}" for key in words if limit.get(key) is not None)


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    limits = options.get("limits") or {}
    breaches = options.get("breaches") or 3
    return (
        Row("Watches", f"for {options.get('for')}, every {options.get('every') or '10s'}"),
        *(Row("", text) for text in _watched(options)),
        *(Row("Limit", f"{name} {_limit(limit)}") for name, limit in limits.items()),
        *((Row("Fails", f"after {breaches} samples in a row over a limit"),) if limits else ()),
    )


def _reaches(options: Mapping[str, Any]) -> tuple[Reach, ...]:
    items = [*(options.get("http") or ()), *(options.get("metrics") or ())]
    urls = dict.fromkeys(str(item.get("url")) for item in items)
    return tuple(Reach("http", url, {"ca": options.get("ca")}) for url in urls)


def _simulate(options: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"would watch {text} for {options.get('for')}" for text in _watched(options))


def _outputs(options: Mapping[str, Any]) -> tuple[str, ...]:
    probed = ("requests", "errors", *PROBED) if options.get("http") else ()
    return ("samples", "breaches", *probed)


SPEC = Spec(
    kind="monitor",
    summary="Watches figures for a time against limits; keeps every sample.",
    options=MonitorOptions,
    perform="runbook_tui.actions.monitor.perform",
    changes=False,
    proof="state",
    probes=False,
    hosts="hosts",
    outputs=_outputs,
    describe=_describe,
    simulate=_simulate,
    reaches=_reaches,
    causes=("limit",),
    example="""\
id: watch
name: Monitor error rates
monitor:
  for: 30m
  every: 10s
  http: [{url: https://hub.example.org/api/health}]
  metrics:
    - name: server_errors
      url: https://hub.example.org/metrics
      metric: http_requests_total
      labels: {status: '5..'}
      measure: share
      of: {metric: http_requests_total}
  limits: {server_errors: 0.1%, p95: {max: 500ms, breaches: 3}}
on_failure: rollback
""",
)
