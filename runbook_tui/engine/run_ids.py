"""Ids of runs: the day and four characters that nobody misreads, `1123-k7f3`."""

from __future__ import annotations

import secrets
from datetime import datetime

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def fresh(today: datetime) -> str:
    """Return a new id; the journal refuses one that is taken."""
    return f"{today:%m%d}-" + "".join(secrets.choice(LETTERS) for _ in range(4))
