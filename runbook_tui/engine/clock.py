"""Times as the journal writes them: UTC, ISO 8601, microseconds, Z; as texts they compare."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


def utc(after: float = 0.0) -> str:
    """Return the present time, or that in `after` seconds."""
    return write(datetime.now(UTC) + timedelta(seconds=after))


def since_boot() -> float:
    """Return the seconds since this machine's boot, sleep included; set back by nobody."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def write(moment: datetime) -> str:
    """Return a moment as the journal writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read(text: str) -> datetime:
    """Return the moment that a journaled time names."""
    return datetime.fromisoformat(text)


def later(text: str, seconds: float) -> str:
    """Return the time `seconds` after a journaled one."""
    return write(read(text) + timedelta(seconds=seconds))


def seconds_since(text: str) -> float:
    """Return how long ago, by the wall clock, a journaled time was; never negative."""
    return max(0.0, (datetime.now(UTC) - read(text)).total_seconds())
