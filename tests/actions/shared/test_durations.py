"""Durations and figures as they are written."""

from __future__ import annotations

import pytest

from runbook_tui.actions.shared import durations, limits


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("500ms", 0.5),
        ("90s", 90),
        ("1h30m", 5400),
        ("30d", 2_592_000),
        ("1w2d3h4m5s6ms", 604_800 + 172_800 + 10_800 + 240 + 5 + 0.006),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert durations.seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "1.5s", "-1s", "5 s", "1m1h", "1s1s", "s", "1x", "1s\n"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        durations.seconds(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "0.25 s"), (41.4, "41 s"), (60, "1:00"), (300, "5:00"), (3723, "1:02:03")],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert durations.shown(seconds) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.1%", 0.1), ("500ms", 500), ("2s", 2000), ("90", 90), ("-1.5", -1.5)],
)
def test_figures(text: str, number: float) -> None:
    assert limits.figure(text) == number


@pytest.mark.parametrize("text", ["", "fast", "5 %", "1m", "1e3"])
def test_what_is_no_figure(text: str) -> None:
    with pytest.raises(ValueError, match="is no figure"):
        limits.figure(text)
