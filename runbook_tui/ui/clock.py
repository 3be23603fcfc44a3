"""Times of the journal as the screen needs them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(iso: str | None) -> datetime | None:
    """Return a journal's time (UTC, ISO 8601 with Z), or None."""
    if not iso:
        return None
    return datetime.fromisoformat(iso.replace("Z", "+00:00"))


def between(start: str | None, end: str | None, now: datetime) -> float | None:
    """Return the seconds from `start` to `end` (to now while there is no end)."""
    begun = moment(start)
    if begun is None:
        return None
    return max(0.0, ((moment(end) or now) - begun).total_seconds())


def local(iso: str | None) -> str:
    """Return a journal's time on the operator's clock: `12:14:08`."""
    when = moment(iso)
    return when.astimezone().strftime("%H:%M:%S") if when else ""


def now_utc() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


def now_here() -> datetime:
    """Return the time now on the operator's clock."""
    return now_utc().astimezone()
