"""Durations as the screen writes them: `0:08`, `10:05`, from an hour `1:38 h`; usual: `~0:15`."""

from __future__ import annotations


def lasting(seconds: float) -> str:
    """Return a duration; parts of a second are dropped."""
    whole = max(0, int(seconds))
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"


def roughly(seconds: float) -> str:
    """Return how long something usually takes, in at most five cells."""
    words = lasting(seconds)
    return words if seconds >= 600 else f"~{words}"


def about(seconds: float) -> str:
    """Return a forecast in words: `4 min`, `1:38 h`."""
    if seconds >= 3600:
        return lasting(seconds)
    if seconds >= 90:
        return f"{round(seconds / 60)} min"
    return f"{max(1, int(seconds))} s"


def ago(seconds: float) -> str:
    """Return how long ago something was, coarsely."""
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago" if seconds >= 60 else f"{int(seconds)} s ago"
    if seconds < 86400:
        return f"{int(seconds // 3600)} h ago"
    return f"{int(seconds // 86400)} d ago"
