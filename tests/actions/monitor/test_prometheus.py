"""Pages in Prometheus' text format, and the figures made of them."""

from __future__ import annotations

import math

import pytest

from runbook_tui.actions.monitor.prometheus import Selector, growth, parse, quantile, total

PAGE = r"""
# HELP requests Requests.
# TYPE requests counter
requests{method="get",status="200"} 90 1700000000000
requests{method="get",status="503",path="a\"b\\c\nd,}"} 10
requests{method="post",status="200",} 5.5e1
up 1
took_seconds_bucket{le="0.1"} 50
took_seconds_bucket{le="0.5"} 90
took_seconds_bucket{le="+Inf"} 100
nothing NaN
"""


def test_series_and_labels() -> None:
    page = parse(PAGE)
    assert total(Selector("requests", {}).of(page)) == 155
    assert total(Selector("requests", {"status": "5.."}).of(page)) == 10
    assert total(Selector("requests", {"status": "5"}).of(page)) == 0
    assert total(Selector("requests", {"path": ""}).of(page)) == 145
    assert Selector("requests", {"path": 'a"b\\\\c\nd,}'}).of(page)
    assert total(Selector("up", {}).of(page)) == 1
    assert math.isnan(total(Selector("nothing", {}).of(page)))


@pytest.mark.parametrize("line", ["<html>", "up", "up{a=1} 1", 'up{a="1} 1', "up one"])
def test_what_is_no_page(line: str) -> None:
    with pytest.raises(ValueError, match=r"format|could not convert"):
        parse(f"fine 1\n{line}\n")


def test_counters_that_begin_anew_count_from_zero() -> None:
    before, now = parse("c{p='1'} 5".replace("'", '"')), parse('c{p="1"} 3\nc{p="2"} 2')
    assert growth(before["c"], now["c"]) == 5
    assert growth(parse("c 5")["c"], parse("c 9")["c"]) == 4


def buckets(*counts: int) -> str:
    bounds = ("0.1", "0.5", "+Inf")
    lines = zip(bounds, counts, strict=True)
    return "\n".join(f'took_bucket{{le="{bound}"}} {count}' for bound, count in lines)


@pytest.mark.parametrize(
    ("now", "share", "expected"),
    [
        ((50, 100, 100), 0.5, 0.1),
        ((50, 100, 100), 0.75, 0.3),
        ((100, 100, 100), 0.5, 0.05),
        ((0, 0, 10), 0.95, 0.5),
        ((0, 0, 0), 0.95, None),
    ],
)
def test_quantiles(now: tuple[int, int, int], share: float, expected: float | None) -> None:
    series = parse(buckets(*now))["took_bucket"]
    none = dict.fromkeys(series, 0.0)
    found = quantile(none, series, share)
    assert found == pytest.approx(expected) if expected is not None else found is None
