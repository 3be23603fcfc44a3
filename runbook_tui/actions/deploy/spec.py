"""What is known of `deploy` before it acts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from runbook_tui.actions.api import Reach, Row, Spec
from runbook_tui.actions.shared import host_fields
from runbook_tui.actions.shared.docker_fields import RegistryAuth
from runbook_tui.actions.shared.fields import REFERENCE, Duration, Options, Scalar
from runbook_tui.actions.shared.host_fields import Hosts

PLACES = "`{host}`, `{address}` and `{port}` stand for the host's name, address and the port"
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Health(Options):
    """When a new container counts as healthy."""

    url: str | None = Field(
        default=None,
        description="Address that must answer with `status`, asked from this machine in addition "
        f"to the container's own HEALTHCHECK; {PLACES}. Needed when the image has no HEALTHCHECK.",
    )
    status: int = Field(default=200, ge=100, le=599, description="HTTP status to expect.")
    within: Duration = Field(
        default="60s", description="How long a new container may take to become healthy."
    )


class Proxy(Options):
    """The nginx that sends requests to the container of each host.

    The step owns one file a host, with that host's `server` line; the `upstream` block of nginx's
    configuration includes these files.
    """

    file: str = Field(
        description="Absolute path of the file that names the live container of a host, such as "
        "`/etc/nginx/upstreams/{host}.conf`; `{host}` stands for the host's name. This step writes "
        "it, and nobody else should. nginx's configuration has "
        "`upstream NAME { include /etc/nginx/upstreams/*.conf; }`."
    )
    host: str | None = Field(
        default=None,
        description="Where nginx runs, as [user@]address[:port] for SSH, or a name of ssh_config. "
        "Default: each host has its own.",
    )
    command: list[str] = Field(
        default=["nginx"],
        min_length=1,
        description="The words that start nginx's command line, such as [sudo, -n, nginx]; "
        "`-t` and `-s reload` are added.",
    )
    pid_file: str = Field(
        default="/run/nginx.pid", description="File with the process id of nginx's master."
    )
    drain: Duration = Field(
        default="30s",
        description="How long the old workers of nginx may go on after a reload, before the old "
        "container is stopped anyway.",
    )

    @field_validator("file", "pid_file")
    @classmethod
    def _absolute(cls, path: str) -> str:
        if REFERENCE not in path and not path.startswith("/"):
            raise ValueError(f"{path!r} is not absolute: begin it with /")
        return path


class DockerService(Options):
    """One service in one container a host, on the host's own Docker engine."""

    image: str = Field(
        description="The image by its digest, name@sha256:…, such as the output `reference` of "
        "`push`, or `previous` of an earlier deploy. Empty only with `takes_back`."
    )
    takes_back: Scalar | None = Field(
        default=None,
        description="In an `undo`: `${{ run.id }}`, the run whose deployment is taken back. When "
        "`image` is empty, because nothing served before that run, the containers that it has put "
        "on the hosts are taken out of the proxy, stopped and removed; what others have put there "
        "stays, and one that did replace an image gives way to that. It is asked about before it "
        "begins.",
    )
    service: str = Field(
        description="Name of the service. Its containers are called SERVICE-PORT.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$|\$\{\{",
    )
    ports: str = Field(
        description="Two or more ports, as 8081-8082. The new container takes one that the old "
        "does not have.",
        pattern=r"^\d{1,5}-\d{1,5}$|\$\{\{",
    )
    proxy: Proxy | None = Field(
        default=None,
        description="The proxy in front, which is switched to the new container. Default: none; "
        "then the new container is reached at the outputs `address` and `port`, and the old one "
        "goes as soon as the new one is healthy.",
    )
    health: Health = Field(
        default_factory=Health, description="When the new container counts as healthy."
    )
    socket: str = Field(
        default="/var/run/docker.sock",
        description="Path of the Docker engine's socket on the host; `{host}` stands for the "
        "host's name.",
    )
    address: str = Field(
        default="{address}",
        description="Address at which the proxy and `health.url` find the container. `{address}` "
        "is the host's own as SSH reaches it.",
    )
    env: dict[VariableName, Scalar] = Field(
        default_factory=dict,
        description="The container's environment, secrets included: it travels in the engine's "
        f"API and in no argument. {PLACES}.",
    )
    command: list[str] | None = Field(
        default=None, description="Arguments instead of the image's own."
    )
    network_mode: str = Field(
        default="host",
        description="`host`, or the name of a network; then `container_port` is published.",
    )
    container_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port inside the container, published at the chosen port. Not with `host`.",
    )
    restart: str = Field(
        default="unless-stopped",
        description="The engine's restart policy: `no`, `always`, `unless-stopped`, `on-failure`.",
        pattern=r"^(no|always|unless-stopped|on-failure)$|\$\{\{",
    )
    user: str | None = Field(default=None, description="User, or user:group, in the container.")
    read_only: bool = Field(default=False, description="The container's file system is read-only.")
    tmpfs: list[str] = Field(
        default_factory=list, description="Folders in the container that live in memory."
    )
    volumes: list[str] = Field(
        default_factory=list, description="Folders of the host, as /host/path:/inside or …:ro."
    )
    cap_drop: list[str] = Field(
        default_factory=list, description="Capabilities that are taken away, such as [ALL]."
    )
    no_new_privileges: bool = Field(
        default=False, description="Processes in the container cannot gain privileges."
    )
    memory: str | None = Field(
        default=None,
        description="Memory limit, such as 256m or 1g.",
        pattern=r"^\d+[bkmgBKMG]?$|\$\{\{",
    )
    pids: int | None = Field(default=None, ge=1, description="Limit of processes.")
    stop_within: Duration = Field(
        default="30s",
        description="How long the old container may take to end its requests after SIGTERM.",
    )
    auth: RegistryAuth | None = Field(
        default=None, description="Login at the registry for the pull. Default: none is needed."
    )

    @field_validator("image")
    @classmethod
    def _by_digest(cls, image: str) -> str:
        if image and REFERENCE not in image and not re.search(r".@sha256:[0-9a-f]{64}$", image):
            raise ValueError(f"{image!r} names no digest: write name@sha256:… (64 digits)")
        return image

    @model_validator(mode="after")
    def _something_to_do(self) -> DockerService:
        if not self.image and not self.takes_back:
            raise ValueError("image is empty: name one, or with takes_back the run to take back")
        return self

    @field_validator("ports")
    @classmethod
    def _two_ports(cls, ports: str) -> str:
        if REFERENCE not in ports and ports.count("-") == 1:
            first, last = (int(port) for port in ports.split("-"))
            if not 0 < first < last <= 65535:
                raise ValueError(f"{ports!r} is no range of two or more ports, such as 8081-8082")
        return ports


class DeployOptions(Options):
    """Options of `deploy`."""

    hosts: Hosts = Field(description="Hosts or groups of the inventory, deployed to in turn.")
    docker: DockerService = Field(description="The service to run on each host's Docker engine.")
    connect_timeout: int = Field(
        default=15, ge=1, le=600, description="Seconds to wait for a host to answer."
    )


def _docker(options: Mapping[str, Any]) -> Mapping[str, Any]:
    docker = options.get("docker")
    return docker if isinstance(docker, Mapping) else {}


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    docker = _docker(options)
    if _removes(options):
        return (Row("Removes", _removal(options)),)
    proxy = docker.get("proxy")
    by = f"nginx at {proxy.get('host') or 'each host'}" if proxy else "nothing: it has no proxy"
    return (
        Row("Image", str(docker.get("image"))),
        Row("To", f"{host_fields.shown(options)}, one after the other"),
        Row("Service", f"{docker.get('service')} on one of the ports {docker.get('ports')}"),
        Row("Switched by", by),
    )


def _removes(options: Mapping[str, Any]) -> bool:
    docker = _docker(options)
    return not docker.get("image") and bool(docker.get("takes_back"))


def _removal(options: Mapping[str, Any]) -> str:
    docker = _docker(options)
    return (
        f"{docker.get('service')} from {host_fields.shown(options)}, where it was not before run "
        f"{docker.get('takes_back')}; an image that it replaced comes back"
    )


def _simulated(options: Mapping[str, Any]) -> tuple[str, ...]:
    if _removes(options):
        return (f"would remove {_removal(options)}",)
    return (f"would deploy {_docker(options).get('image')} to {host_fields.shown(options)}",)


def _reaches(options: Mapping[str, Any]) -> tuple[Reach, ...]:
    docker = _docker(options)
    socket = str(docker.get("socket") or "/var/run/docker.sock")
    hosts = host_fields.reaches(options)
    engines = tuple(Reach("docker", reach.target, {"socket": socket}) for reach in hosts)
    return (*hosts, *engines)


SPEC = Spec(
    kind="deploy",
    summary="Puts an image into service host by host: start the new one, wait until it is healthy, "
    "switch the proxy, drain and remove the old one.",
    options=DeployOptions,
    perform="runbook_tui.actions.deploy.perform",
    proof="state",
    hosts="hosts",
    needs_hosts=True,
    causes=("connection", "pull", "unhealthy"),
    outputs=lambda options: ("digest", "previous", "container", "address", "port"),
    describe=_describe,
    removes=_removes,
    simulate=_simulated,
    tools=lambda options: {"ssh": "openssh-client"},
    carries=lambda run, step, commit: {"labels": {"runbook.run": run, "runbook.step": step}},
    reaches=_reaches,
    example="""\
id: production
name: Deploy to production
deploy:
  hosts: app
  docker:
    image: "${{ steps.push.reference }}"
    service: practice-hub
    ports: 8081-8082
    env: {HOST: "{address}", PORT: "{port}"}
    health: {url: "http://{address}:{port}/api/health"}
    proxy: {file: "/etc/nginx/upstreams/{host}.conf"}
confirm: typed
undo:
  deploy:
    hosts: app
    docker:
      image: '${{ steps.production.previous | "" }}'
      takes_back: ${{ run.id }}
      service: practice-hub
      ports: 8081-8082
      env: {HOST: "{address}", PORT: "{port}"}
      health: {url: "http://{address}:{port}/api/health"}
      proxy: {file: "/etc/nginx/upstreams/{host}.conf"}
""",
)
