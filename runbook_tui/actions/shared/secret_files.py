"""Secrets in private files in memory, for programs that want a path (`secret_files`)."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written(secrets: Mapping[str, str], fallback: Path) -> Iterator[dict[str, str]]:
    """Write each secret to a file of mode 0600 and give the variables `NAME_FILE` with their paths.

    The files lie on a tmpfs, in `fallback` where the machine has none, and are removed at the end.
    """
    if not secrets:
        yield {}
        return
    directory = Path(tempfile.mkdtemp(prefix="runbook-secrets-", dir=_memory() or fallback))
    try:
        for name, value in secrets.items():
            path = directory / name
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(value)
        yield {f"{name}_FILE": str(directory / name) for name in secrets}
    finally:
        shutil.rmtree(directory)


def _memory() -> Path | None:
    places = [Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")), Path("/dev/shm")]
    return next((place for place in places if os.access(place, os.W_OK | os.X_OK)), None)
