"""What lies beside a dump and says what it is: written last, so a dump without one is no backup."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

SUFFIX = ".dump"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One dump. `at` is UTC in ISO 8601; `things` counts what pg_restore lists."""

    database: str
    run: str
    step: str
    at: str
    size: int
    sha256: str
    things: int

    @property
    def name(self) -> str:
        """The name of the dump."""
        stamp = self.at.replace("-", "").replace(":", "")
        return f"{self.database}.{stamp}.{mark(self.run, self.step)}"

    def taken(self) -> datetime:
        """When the dump was taken."""
        return datetime.fromisoformat(self.at)

    def dumped(self) -> bytes:
        """Return the manifest as it is kept."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode()


def mark(run: str, step: str) -> str:
    """Return the end of the names of a step's dumps."""
    # The id of an included runbook's step holds slashes; no id holds a plus sign.
    return f"{run}.{step.replace('/', '+')}{SUFFIX}"


def mark_of(name: str) -> str:
    """Return the part of a dump's name that tells whose it is: run, step, suffix."""
    return name.split(".", 2)[2]


def now() -> str:
    """Return the time as manifests have it, in seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(data: bytes) -> Manifest | None:
    """Return a manifest; None for anything else that ends in `.json`."""
    try:
        fields = json.loads(data)
        manifest = Manifest(**fields)
        manifest.taken()
    except (ValueError, TypeError):
        return None
    return manifest
