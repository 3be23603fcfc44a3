"""Durations as runbooks write them: `1h30m`, `90s`, `500ms`, `30d`, `1w`."""

from __future__ import annotations

import re

_UNITS = (("w", 604800.0), ("d", 86400.0), ("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001))
_PATTERN = re.compile("".join(rf"(?:(?P<{unit}>\d{{1,9}}){unit})?" for unit, _ in _UNITS))

EXPECTED = "a duration such as 90s, 10m, 1h30m, 500ms or 30d"


def parse(text: str) -> float:
    """Return the seconds that a duration stands for.

    Units descend, each at most once, without blanks. Raises ValueError with a sentence otherwise:
    a bare number has no unit, so nobody could tell what it means.
    """
    match = _PATTERN.fullmatch(text)
    if not text or match is None:
        raise ValueError(f"expected {EXPECTED}")
    given = match.groupdict()
    return sum(int(given[unit]) * seconds for unit, seconds in _UNITS if given[unit] is not None)


def show(seconds: float) -> str:
    """Write seconds in the same notation, to the millisecond: the inverse of `parse`."""
    left = round(seconds * 1000)
    parts = []
    for unit, size in _UNITS:
        count, left = divmod(left, round(size * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
