"""Secrets in private files in memory, for programs that want a path (`secret_files`).

They are named after the attempt that wants them, so that those of a worker that was killed can be
found and removed by whoever judges what it left.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written(secrets: Mapping[str, str], attempt: Path) -> Iterator[dict[str, str]]:
    """Write each secret to a file of mode 0600 and give the variables `NAME_FILE` with their paths.

    The files lie on a tmpfs, in the attempt's directory where the machine has none, and are removed
    at the end.
    """
    if not secrets:
        yield {}
        return
    directory = Path(tempfile.mkdtemp(prefix=_prefix(attempt), dir=_memory() or attempt))
    try:
        for name, value in secrets.items():
            path = directory / name
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(value)
        yield {f"{name}_FILE": str(directory / name) for name in secrets}
    finally:
        shutil.rmtree(directory)


def sweep(attempt: Path) -> None:
    """Remove what is left of an attempt's files: its worker was killed, or ended by force."""
    for place in (*_places(), Path(f"/run/user/{os.getuid()}"), attempt):
        for found in place.glob(f"{_prefix(attempt)}*"):
            shutil.rmtree(found, ignore_errors=True)


def _prefix(attempt: Path) -> str:
    # The path as the order says it: the state directory, and what the intent names in it.
    return f"runbook-secrets-{hashlib.sha256(os.fsencode(attempt)).hexdigest()[:16]}-"


def _memory() -> Path | None:
    return next((place for place in _places() if os.access(place, os.W_OK | os.X_OK)), None)


def _places() -> list[Path]:
    return [Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")), Path("/dev/shm")]
