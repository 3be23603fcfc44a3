"""One host's part of a deployment: start the new container, wait, switch, drain, remove the old.

Every stage first looks at what is there, so that an attempt goes on where a killed one stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, cast

from docker import APIClient
from docker.errors import APIError, NotFound

from runbook_tui.actions.api import ActionFailed, Context, Host, Job, Stopped
from runbook_tui.actions.deploy import containers, health, nginx
from runbook_tui.actions.deploy.containers import Container, Standing
from runbook_tui.actions.deploy.health import Unhealthy
from runbook_tui.actions.deploy.nginx import Nginx
from runbook_tui.actions.deploy.wanted import Wanted
from runbook_tui.actions.shared import docker_engine, ssh_connection, ssh_settings
from runbook_tui.actions.shared.docker_stream import words


@dataclass(frozen=True, slots=True)
class Place:
    """A host with the ways to its engine and its proxy."""

    job: Job
    target: Wanted
    client: APIClient
    proxy: Nginx | None
    notes: tuple[str, ...] = ()

    def fault_of(self, found: Container) -> str | None:
        """Return why a container is not what is wanted, or None: its health and its image."""
        image = docker_engine.find_image(self.client, self.target.image)
        if image is None or image["Id"] != found.image_id:
            return f"it does not run {self.target.digest[:19]}"
        return health.now(found, self.target)

    def look(self) -> Standing:
        """Return how the service stands there."""
        found = containers.of_service(self.client, self.target.service)
        port = self.proxy.live_port() if self.proxy else None
        return containers.standing(found, self.target, port, proxied=self.proxy is not None)


@contextmanager
def reached(job: Job, host: Host) -> Iterator[Place]:
    """Give a host of the job; raises ActionFailed, with nothing done, when it cannot be reached."""
    docker = job.options["docker"]
    timeout = float(job.options.get("connect_timeout") or 15)
    settings = ssh_settings.load(job.ssh_config)
    resolved = ssh_settings.resolve(settings, host)
    target = Wanted(docker, host.name, resolved.address)
    with ExitStack() as open_:
        proxy = None
        if docker.get("proxy"):
            at = nginx.place(docker["proxy"], host)
            connection = ssh_connection.connect(at, job.ssh_config, timeout)
            open_.callback(connection.close)
            proxy = Nginx(connection, docker["proxy"], target)
        client = open_.enter_context(
            docker_engine.remote(host, target.socket, job.ssh_config, timeout)
        )
        yield Place(job, target, client, proxy, resolved.notes)


def deploy(place: Place, context: Context) -> Container:
    """Bring one host to what is wanted; returns the container that serves."""
    standing = place.look()
    _tell(place, context, standing)
    _have_image(place, context)
    chosen = standing.chosen
    if chosen is None:
        chosen = _start(place, context, standing)
        context.fault("deploy.started")
    chosen = _healthy(place, context, chosen, standing)
    context.fault("deploy.healthy")
    _switch(place, context, chosen, standing)
    context.fault("deploy.switched")
    _remove_others(place, context, chosen)
    context.fault("deploy.stopped")
    return _proven(place, chosen)


def _tell(place: Place, context: Context, standing: Standing) -> None:
    name = place.target.host
    for note in place.notes:
        context.log(f"note: {note}")
    serving = standing.live.told() if standing.live else "nothing of this service"
    context.log(f"{name}: in service is {serving}")
    for one in (standing.chosen, *standing.others):
        if one is not None and one is not standing.live:
            context.log(f"{name}: {one.told()} is there too")


def _have_image(place: Place, context: Context) -> None:
    """Fetch the image by its digest unless the engine has it."""
    target = place.target
    image = docker_engine.find_image(place.client, target.image)
    if image is None:
        context.progress(f"{target.host}: pulling {target.image}")
        auth = target.options.get("auth")
        image = docker_engine.pull(place.client, target.image, auth, context)
    known = [str(known).rpartition("@")[2] for known in image.get("RepoDigests") or []]
    if target.digest not in known:
        raise ActionFailed(
            f"The engine of {target.host} has another image as {target.image}.",
            effect="none",
            cause="pull",
        )


def _start(place: Place, context: Context, standing: Standing) -> Container:
    """Start the new container at a port that nobody of the service has."""
    target, client = place.target, place.client
    kept = []
    for one in standing.others:
        # Without a proxy whatever runs may be in use.
        if one is standing.live or (one.running and place.proxy is None):
            kept.append(one)
        else:
            context.log(f"{target.host}: removing {one.told()}, left by an earlier attempt")
            containers.remove(client, one.id)
    taken = {one.port for one in kept} | {standing.live_port}
    port = next((port for port in target.ports if port not in taken), None)
    if port is None:
        raise ActionFailed(
            f"No port is left on {target.host}: all of {target.options['ports']} are taken by "
            f"{', '.join(one.name for one in kept)}.",
            effect="none",
        )
    previous = standing.live.image if standing.live else None
    order = target.body(port, place.job.run, place.job.step, previous)
    context.progress(f"{target.host}: starting {target.name(port)}")
    create: Callable[[dict[str, Any], str], dict[str, Any]] = client.create_container_from_config
    try:
        made = create(order, target.name(port))
    except APIError as fault:
        raise _not_started(target, port, fault) from fault
    try:
        client.start(made["Id"])
    except APIError as fault:
        containers.remove(client, made["Id"])
        raise _not_started(target, port, fault) from fault
    context.log(f"{target.host}: started {target.name(port)}")
    return cast(Container, containers.look(client, str(made["Id"])))


def _not_started(target: Wanted, port: int, fault: APIError) -> ActionFailed:
    return ActionFailed(
        f"{target.name(port)} could not be started on {target.host}: {words(fault)}.",
        effect="none",
    )


def _healthy(place: Place, context: Context, chosen: Container, standing: Standing) -> Container:
    """Wait for the new container; one that serves nobody is removed when it is given up."""
    try:
        found = health.wait(place.client, chosen, place.target, context)
    except (Unhealthy, Stopped):
        if not standing.switched:
            containers.remove(place.client, chosen.id)
            context.log(f"{place.target.host}: removed {chosen.name}; nothing was switched")
        raise
    restart = str(place.target.options.get("restart") or "unless-stopped")
    policy: Any = {"Name": restart, "MaximumRetryCount": 0}
    place.client.update_container(found.id, restart_policy=policy)
    return found


def _switch(place: Place, context: Context, chosen: Container, standing: Standing) -> None:
    """Send requests to the new container; the reload is repeated when others are still there."""
    if place.proxy is None or (standing.switched and not standing.others):
        return
    if not standing.switched:
        context.progress(f"{place.target.host}: switching the proxy to {chosen.name}")
        place.proxy.switch(chosen.port)
    place.proxy.reload(context)
    context.log(f"{place.target.host}: requests go to {chosen.name}")


def _remove_others(place: Place, context: Context, chosen: Container) -> None:
    found = containers.of_service(place.client, place.target.service)
    stop(place, context, [one for one in found if one.id != chosen.id])


def stop(place: Place, context: Context, some: Sequence[Container]) -> None:
    """Let containers end their requests, stop and remove them; some may be gone meanwhile."""
    within = max(1, round(place.target.seconds("stop_within", default="30s")))
    for one in some:
        context.progress(f"{place.target.host}: letting {one.name} end its requests")
        try:
            place.client.stop(one.id, timeout=within)
            containers.remove(place.client, one.id)
        except NotFound:
            continue
        context.log(f"{place.target.host}: stopped and removed {one.name}")


def _proven(place: Place, chosen: Container) -> Container:
    """Look once more: this is what the step claims."""
    standing = place.look()
    found = standing.chosen
    why = place.fault_of(found) if found else "it is gone"
    if found is None or found.id != chosen.id or standing.others or why:
        raise ActionFailed(
            f"{chosen.name} on {place.target.host} was put into service, but then: "
            f"{why or 'another container came'}.",
            effect="partial",
        )
    return found


def outputs(place: Place, found: Container) -> dict[str, str]:
    """Return what a host hands on."""
    values: dict[str, Any] = {
        "digest": place.target.digest,
        "previous": found.previous,
        "container": found.name,
        "address": place.target.address,
        "port": found.port,
    }
    return {name: str(value) for name, value in values.items() if value is not None}
