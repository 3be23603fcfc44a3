"""The containers of one service on one engine: found by their labels, whoever left them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from docker import APIClient
from docker.errors import NotFound

from runbook_tui.actions.deploy import wanted
from runbook_tui.actions.deploy.wanted import Wanted
from runbook_tui.actions.shared import labels


@dataclass(frozen=True, slots=True)
class Container:
    """One container as its engine describes it. `health` is None without a HEALTHCHECK."""

    id: str
    name: str
    created: str
    image_id: str
    running: bool
    exit_code: int
    health: str | None
    labels: Mapping[str, str]

    @property
    def port(self) -> int:
        """The port that it was given."""
        return int(self.labels.get(wanted.PORT) or 0)

    @property
    def image(self) -> str:
        """The image, by digest, that it was made of."""
        return self.labels.get(wanted.IMAGE) or ""

    @property
    def run(self) -> str | None:
        """The run that started it."""
        return self.labels.get(labels.RUN)

    @property
    def previous(self) -> str | None:
        """The image that served before it."""
        return self.labels.get(wanted.PREVIOUS)

    def fits(self, target: Wanted) -> bool:
        """Tell whether it is what a deployment wants."""
        return self.labels.get(wanted.CONFIG) == target.config()

    def told(self) -> str:
        """Return it in a few words."""
        state = (self.health or "running") if self.running else f"ended ({self.exit_code})"
        return f"{self.name}, {self.image.rpartition('@')[2][:19]}, {state}"


def of_service(client: APIClient, service: str) -> list[Container]:
    """Return all containers of a service, those that do not run included, oldest first."""
    listed: list[dict[str, Any]] = client.containers(
        all=True, filters={"label": [f"{wanted.SERVICE}={service}"]}
    )
    found = [look(client, str(entry["Id"])) for entry in listed]
    return sorted((one for one in found if one), key=lambda one: one.created)


def look(client: APIClient, id_: str) -> Container | None:
    """Return how a container stands, or None when it is gone."""
    inspect: Callable[[str], dict[str, Any]] = client.inspect_container
    try:
        found = inspect(id_)
    except NotFound:
        return None
    state = found["State"]
    return Container(
        id=str(found["Id"]),
        name=str(found["Name"]).lstrip("/"),
        created=str(found["Created"]),
        image_id=str(found["Image"]),
        running=bool(state["Running"]),
        exit_code=int(state.get("ExitCode") or 0),
        health=(state.get("Health") or {}).get("Status"),
        labels=dict(found["Config"].get("Labels") or {}),
    )


def remove(client: APIClient, id_: str) -> None:
    """Remove a container and what it stored, running or not; one that is gone is no fault."""
    with suppress(NotFound):
        client.remove_container(id_, force=True, v=True)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a service stands on a host: which container is wanted, which serves, which are left.

    `live_port` is the port that the proxy sends to; None without a proxy, or before the first time.
    """

    chosen: Container | None
    live: Container | None
    others: tuple[Container, ...]
    live_port: int | None
    proxied: bool

    @property
    def switched(self) -> bool:
        """Tell whether requests go to the wanted container."""
        if self.chosen is None:
            return False
        return self.chosen.port == self.live_port if self.proxied else not self.others


def standing(
    found: Sequence[Container], target: Wanted, live_port: int | None, *, proxied: bool
) -> Standing:
    """Sort a service's containers. Of several that are wanted, the one that serves is chosen."""
    running = [one for one in found if one.running]
    fitting = [one for one in running if one.fits(target)]
    serving = [one for one in fitting if proxied and one.port == live_port]
    chosen = next(reversed(serving or fitting), None)
    others = tuple(one for one in found if one is not chosen)
    if proxied:
        live = next((one for one in found if one.port == live_port), None)
    else:
        live = next((one for one in reversed(others) if one.running), None) or chosen
    return Standing(chosen, live, others, live_port, proxied)
