"""`monitor`: figures from real servers, judged in rows, kept over interruptions."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from pydantic import ValidationError

from runbook_tui.actions import registry
from runbook_tui.actions.api import Stopped
from runbook_tui.actions.monitor.limit import Limit, Watch
from runbook_tui.actions.monitor.probing import percentile
from state.stores import signals
from state.stores.attempt_dir import AttemptDir
from state.stores.result import Result
from tests.harness.actions import Bench, act, context, refused
from tests.harness.http import Asked, Reply, Web, serving
from tests.harness.sshd import Ssh


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as server:
        yield server


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_quiet_time(bench: Bench, web: Web) -> None:
    options = {
        "for": "50ms",
        "every": "10ms",
        "requests": 2,
        "http": [{"url": f"{web.url}/health"}],
        "limits": {"error_rate": 0, "p95": "60s"},
    }
    recorder = context(job := bench.job("monitor", options))
    outcome = act(job, recorder)
    number = len(recorder.samples)
    assert int(outcome.outputs["samples"]) == number
    assert len(web.asked) == int(outcome.outputs["requests"]) == 2 * number
    assert (outcome.outputs["errors"], outcome.outputs["error_rate"]) == ("0", "0")
    last = recorder.samples[-1]
    assert last["served"] == 0.05
    assert isinstance(figures := last["figures"], dict)
    assert figures.keys() == {"error_rate", "p50", "p95", "p99"}
    assert outcome.evidence[0].summary.startswith(f"{number} samples in 0.05 s: error_rate at most")


def test_three_breaches_in_a_row_end_it(bench: Bench, web: Web) -> None:
    answers = iter([200, 500, 500, 200, 500, 500, 500, 200])
    web.reply = lambda asked: Reply(next(answers))
    options = {
        "for": "10m",
        "every": "10ms",
        "requests": 1,
        "http": [{"url": web.url}],
        "limits": {"error_rate": "0.1%"},
    }
    recorder = context(job := bench.job("monitor", options))
    failure = refused(job, recorder)
    assert (failure.cause, failure.effect) == ("limit", "none")
    assert failure.sentence == (
        "error_rate was out of bounds 3 times in a row: 100 %, and at most 0.1 % was expected."
    )
    assert failure.outputs["samples"] == "7"
    assert failure.outputs["breaches"] == "5"
    assert recorder.text().splitlines()[-2:] == [
        "error_rate 100 %, limit at most 0.1 % (3 of 3)",
        f"1 of 1 requests: {web.url}: status 500",
    ]
    assert "error_rate is within its limit again" in recorder.text()
    assert recorder.lines[0] == "10:00 left. error_rate 0 %"
    over = {"over": 3, "of": 3, "max": 0.1, "min": None}
    assert recorder.samples[-1]["limits"] == {"error_rate": over}


def test_it_may_watch_to_the_end_and_fail_then(bench: Bench, web: Web) -> None:
    web.reply = lambda asked: Reply(500 if len(web.asked) == 1 else 200)
    options = {
        "for": "30ms",
        "every": "10ms",
        "requests": 1,
        "early": False,
        "http": [{"url": web.url, "status": [200, 204]}],
        "limits": {"error_rate": {"max": 0, "breaches": 1}},
    }
    recorder = context(job := bench.job("monitor", options))
    failure = refused(job, recorder)
    assert failure.sentence.startswith("error_rate was out of bounds 1 times in a row: 100 %")
    assert recorder.samples[-1]["served"] == 0.03


def test_a_figure_that_cannot_be_read_is_out_of_bounds(bench: Bench, web: Web) -> None:
    options = {
        "for": "10m",
        "every": "1ms",
        "breaches": 2,
        "metrics": [
            {"name": "load", "url": "http://127.0.0.1:1/metrics", "metric": "load1"},
            {"name": "free", "url": f"{web.url}/metrics", "metric": "free"},
        ],
        "limits": {"load": 5},
    }
    recorder = context(job := bench.job("monitor", options))
    failure = refused(job, recorder)
    assert failure.sentence == (
        "load was out of bounds 2 times in a row: it cannot be read, and at most 5 was expected."
    )
    assert "load cannot be read (http://127.0.0.1:1/metrics: Connection refused)" in recorder.text()
    assert "free could not be read: the page has no series free that fits" in recorder.text()


def page(number: int) -> str:
    """A service's counters: each look finds 100 requests more, 2 of them failed."""
    return f"""
requests_total{{status="200"}} {98 * number}
requests_total{{status="503"}} {2 * number}
took_seconds_bucket{{le="0.1"}} {90 * number}
took_seconds_bucket{{le="1"}} {100 * number}
took_seconds_bucket{{le="+Inf"}} {100 * number}
queue_length 7
"""


def test_figures_of_a_metrics_page(bench: Bench, web: Web) -> None:
    numbers = count(1)
    web.reply = lambda asked: Reply(body=page(next(numbers)).encode())
    url, total = f"{web.url}/metrics", {"metric": "requests_total"}
    share = {"measure": "share", "of": total, "labels": {"status": "5.."}, **total}
    took = {"metric": "took_seconds", "measure": "quantile", "quantile": 0.95}
    options = {
        "for": "10m",
        "every": "1ms",
        "breaches": 1,
        "metrics": [
            {"name": "errors", "url": url, **share},
            {"name": "p95", "url": url, **took},
            {"name": "queue", "url": url, "metric": "queue_length", "unit": "jobs"},
            {"name": "rate", "url": url, **total, "measure": "rate"},
        ],
        "limits": {"errors": "1%"},
    }
    recorder = context(job := bench.job("monitor", options))
    failure = refused(job, recorder)
    first, second = recorder.samples
    assert first["figures"] == {"queue": 7.0}
    assert isinstance(figures := second["figures"], dict)
    assert figures["rate"] > 0
    assert {**figures, "rate": 0} == {"errors": 2.0, "p95": 550.0, "queue": 7.0, "rate": 0}
    assert second["units"] == {"errors": "%", "p95": "ms", "queue": "jobs", "rate": ""}
    assert len(web.asked) == 2
    assert failure.sentence.endswith("2 %, and at most 1 % was expected.")


def interrupted(bench: Bench, web: Web) -> AttemptDir:
    """An attempt that was cut off after its second sample, one breach in a row."""
    directory = AttemptDir(bench.attempt(1))
    directory.create()
    for served, over in ((1.0, 0), (599.99, 1)):
        signals.append_sample(
            directory,
            {
                "at": 1.0,
                "served": served,
                "requests": 4,
                "errors": 1,
                "figures": {"error_rate": 25.0},
                "units": {"error_rate": "%"},
                "limits": {"error_rate": {"over": over, "of": 2, "max": 1, "min": None}},
            },
        )
    with directory.samples.open("ab") as file:
        file.write(b'{"torn')
    return directory


OPTIONS: dict[str, object] = {"for": "10m", "every": "10m", "requests": 1}


def test_an_interrupted_one_goes_on_where_it_was(bench: Bench, web: Web) -> None:
    interrupted(bench, web)
    options = OPTIONS | {"http": [{"url": web.url}], "limits": {"error_rate": {"max": 30}}}
    recorder = context(job := bench.job("monitor", options, number=2))
    outcome = act(job, recorder)
    assert "goes on: 10:00 served, 2 samples kept" in recorder.text()
    assert [sample["served"] for sample in recorder.samples][:2] == [1.0, 599.99]
    assert recorder.samples[-1]["served"] == 600
    assert int(outcome.outputs["requests"]) == 8 + len(web.asked)
    assert outcome.outputs["errors"] == "2"


def test_breaches_in_a_row_are_counted_on(bench: Bench, web: Web) -> None:
    interrupted(bench, web)
    web.reply = lambda asked: Reply(500)
    options = OPTIONS | {"http": [{"url": web.url}], "limits": {"error_rate": 1}, "breaches": 2}
    failure = refused(bench.job("monitor", options, number=2))
    assert failure.outputs["samples"] == "3"


def test_one_that_was_judged_begins_anew(bench: Bench, web: Web) -> None:
    interrupted(bench, web).write_result(Result(status="failed"))
    options = OPTIONS | {"for": "0s", "http": [{"url": web.url}]}
    assert act(bench.job("monitor", options, number=2)).outputs["samples"] == "1"


def test_a_sample_that_cannot_be_kept_ends_it(
    bench: Bench, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = context(job := bench.job("monitor", OPTIONS | {"http": [{"url": web.url}]}))

    def full(data: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(recorder, "sample", full)
    failure = refused(job, recorder)
    assert failure.sentence.startswith("A sample could not be kept: No space left on device.")


def test_a_stop_ends_the_waiting(bench: Bench, web: Web) -> None:
    recorder = context(job := bench.job("monitor", OPTIONS | {"http": [{"url": web.url}]}))

    def reply(asked: Asked) -> Reply:
        recorder.stop()
        return Reply()

    web.reply = reply
    with pytest.raises(Stopped):
        act(job, recorder)


def test_hosts_are_read_over_ssh(bench: Bench, ssh: Ssh) -> None:
    hosts = [ssh["app-1"].host, ssh["app-2"].host]
    options = {"for": "0s", "hosts": ["app-1", "app-2"], "limits": {"memory": 100, "disk": "100%"}}
    job = bench.job("monitor", options, hosts=hosts, ssh_config=ssh.config(bench.cwd))
    recorder = context(job)
    act(job, recorder)
    figures = recorder.samples[0]["figures"]
    assert isinstance(figures, dict)
    assert {name: set(by_host) for name, by_host in figures.items()} == {
        name: {"app-1", "app-2"} for name in ("cpu", "memory", "disk")
    }
    assert isinstance(limits := recorder.samples[0]["limits"], dict)
    assert set(limits) == {f"{name}@app-{n}" for name in ("memory", "disk") for n in (1, 2)}


def test_a_host_that_is_gone_is_out_of_bounds(bench: Bench, ssh: Ssh) -> None:
    options = {"for": "10m", "hosts": "app-1", "limits": {"cpu": {"max": 100, "breaches": 1}}}
    config = ssh.config(bench.cwd, known="")
    job = bench.job("monitor", options, hosts=[ssh["app-1"].host], ssh_config=config)
    failure = refused(job)
    assert failure.sentence.startswith("cpu@app-1 was out of bounds 1 times in a row: it cannot")


def test_limits() -> None:
    watch = Watch({"a": Limit(5, 1, 2)})
    assert [watch.judge("a", value) for value in (1, 5, 0.9, 5.1)] == [False, False, True, True]
    assert watch.broken() == ["a"]
    assert watch.judge("b", 9) is None
    assert Limit(5, 1, 2).words("ms") == "at least 1 ms and at most 5 ms"


def test_percentiles() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99)] == [50, 95, 99]
    assert percentile([3.0], 0.95) == 3.0


HTTP = {"http": [{"url": "http://x"}]}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "give at least one of http, metrics and hosts"),
        (HTTP | {"limits": {"cpu": 1}}, "nothing here measures 'cpu'"),
        (HTTP | {"limits": {"p95": {}}}, "give max or min"),
        (HTTP | {"limits": {"p95": "fast"}}, "is no figure"),
        (HTTP | {"metrics": [{"name": "p95", "url": "u", "metric": "m"}]}, "two figures have"),
        ({"metrics": [{"name": "a", "url": "u", "metric": "m", "measure": "share"}]}, "of goes"),
        ({"metrics": [{"name": "a", "url": "u", "metric": "m", "quantile": 0.5}]}, "quantile goes"),
    ],
)
def test_options_that_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        registry.spec("monitor").options.model_validate({"for": "1m"} | options)
