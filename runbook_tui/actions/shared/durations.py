"""Durations of the format: `1h30m`, `90s`, `500ms`, `30d`, `1w`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

UNITS: Final = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
PATTERN: Final = r"^(?=\d)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$"
"""Descending units, each at most once, whole numbers, no blanks."""


@lru_cache(maxsize=1024)
def seconds(text: str) -> float:
    """Return the seconds that a duration stands for; ValueError when it is not one."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text!r} is no duration; write it like 90s, 1h30m, 500ms or 30d")
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[wdhms])", text))


def shown(value: float) -> str:
    """Return seconds in words for a log line: `0.25 s`, `41 s`, `5:00`, `1:02:03`."""
    if value < 10:
        return f"{value:.2f} s"
    if value < 60:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
