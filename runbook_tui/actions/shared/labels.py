"""The labels that tie an image or a container to the run that made it."""

from __future__ import annotations

from collections.abc import Mapping

RUN = "runbook.run"
STEP = "runbook.step"
REVISION = "org.opencontainers.image.revision"
VERSION = "org.opencontainers.image.version"


def labels(run: str, step: str, commit: str | None) -> Mapping[str, str]:
    """Return what an image built by a step carries."""
    marks = {RUN: run, STEP: step}
    return {**marks, REVISION: commit} if commit else marks
