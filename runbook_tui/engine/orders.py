"""Orders as bytes for the pipe to a worker: they hold secrets and never touch argv or disk."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from runbook_tui.actions.api import Host, Job
from runbook_tui.engine.ports import Order


def dump(order: Order) -> bytes:
    """Return the order as JSON."""
    return json.dumps(asdict(order), ensure_ascii=True).encode()


def load(content: bytes) -> Order:
    """Return the order that `dump` wrote."""
    data: dict[str, Any] = json.loads(content)
    job = data["job"]
    job["hosts"] = tuple(Host(**host) for host in job["hosts"])
    for name in ("secrets", "previous"):
        job[name] = tuple(job[name])
    return Order(**{**data, "job": Job(**job), "graces": tuple(data["graces"])})
