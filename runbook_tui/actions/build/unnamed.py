"""What an earlier try of a step built and did not come to name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from docker import APIClient

from runbook_tui.actions.api import Job
from runbook_tui.actions.shared import docker_engine, labels

_NEVER: Final = "0001-01-01"
"""How the time of the last naming begins where there was none."""


def images(job: Job, client: APIClient) -> list[Mapping[str, Any]]:
    """Return the images with this step's labels that never had a name.

    One that had a name and lost it to another is none of them: its try came to its end. Engines
    that keep no such time show none.
    """
    wanted = labels.labels(job.run, job.step, job.commit)
    marks = [f"{key}={value}" for key, value in wanted.items()]
    found = client.images(filters={"dangling": True, "label": marks})
    details = [docker_engine.find_image(client, str(one["Id"])) for one in found]
    return [one for one in details if one is not None and _never_named(one)]


def _never_named(details: Mapping[str, Any]) -> bool:
    return str((details.get("Metadata") or {}).get("LastTagTime")).startswith(_NEVER)


def told(details: Mapping[str, Any]) -> str:
    """Return such an image in words."""
    return f"{str(details['Id'])[:19]}, built by this step and not named yet"
