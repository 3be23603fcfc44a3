"""The variables of what is in service on a host, read from its container."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from runbook_tui.actions.api import ActionFailed, Host, Job
from runbook_tui.actions.shared import docker_engine
from runbook_tui.actions.shared.docker_stream import LIBRARY_ERRORS, words

_SERVICE: Final = "runbook.service"
"""The label that `deploy` gives its containers."""


@dataclass(frozen=True, slots=True)
class InService:
    """A container with its variables. `of_image` are names whose value is its image's own."""

    container: str
    variables: Mapping[str, str]
    of_image: frozenset[str]

    def beside(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return what was given to it; of what its image has of its own, only these names."""
        left_out = self.of_image.difference(names)
        return {name: value for name, value in self.variables.items() if name not in left_out}


def look(job: Job, host: Host) -> InService | None:
    """Return what is in service on a host, None when nothing is.

    Raises ActionFailed when the host or its engine does not answer.
    """
    options = job.options["in_service"]
    socket = str(options["socket"]).replace("{host}", host.name)
    timeout = float(job.options["connect_timeout"])
    try:
        with docker_engine.remote(host, socket, job.ssh_config, timeout) as client:
            listed = client.containers(filters={"label": [f"{_SERVICE}={options['service']}"]})
            if not listed:
                return None
            newest = max(listed, key=lambda one: int(one["Created"]))
            found = client.inspect_container(newest["Id"])
            image = docker_engine.find_image(client, found["Image"])
    except LIBRARY_ERRORS as fault:
        raise ActionFailed(
            f"The Docker engine of {host.name} failed or went away: {words(fault)}.",
            effect="none",
            cause="connection",
        ) from fault
    given, own = _variables(found), _variables(image or {"Config": {}})
    same = frozenset(name for name, value in own.items() if given.get(name) == value)
    return InService(str(found["Name"]).lstrip("/"), given, same)


def _variables(inspected: Mapping[str, Any]) -> dict[str, str]:
    pairs = (str(line).partition("=") for line in inspected["Config"].get("Env") or ())
    return {name: value for name, _, value in pairs}
