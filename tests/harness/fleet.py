"""Docker engines, a registry with TLS and a login, hosts and a proxy: the sandbox's own parts.

Session-wide and started once; tests remove their containers.
"""

from __future__ import annotations

import json
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx
from docker import APIClient

from runbook_tui.actions.api import Host
from runbook_tui.actions.shared.registry_client import ACCEPT
from runbook_tui.sandbox import (
    engines,
    hosts,
    members,
    proxy,
    registry,
    services,
    site,
    tls,
)
from runbook_tui.sandbox.site import Site
from tests.harness.docker import BASE, base_archive, write_source

PLACE: Final = "production"
ENGINES: Final = ("builder", *site.PRODUCTION)


@dataclass(frozen=True)
class Fleet:
    """All parts of it, and the values that a runbook would name."""

    site: Site

    @property
    def registry(self) -> str:
        """The registry's part of an image's name."""
        return registry.address(self.site)

    @property
    def auth(self) -> dict[str, str]:
        """The login at the registry."""
        return {"username": registry.USER, "password": self.site.passwords["registry"]}

    @property
    def access(self) -> dict[str, str]:
        """How the registry is reached."""
        return {"ca": str(tls.authority(self.site))}

    @property
    def hosts(self) -> list[Host]:
        """The hosts behind the proxy, as the inventory has them: names of the ssh_config."""
        return [Host(name, None, name) for name in site.PRODUCTION]

    @property
    def ssh_config(self) -> Path:
        """Client settings that know the hosts."""
        return self.site.ssh_config

    @property
    def sockets(self) -> str:
        """The engine's socket of each host."""
        return str(self.site.engine_socket("{host}"))

    def engine(self, name: str = "builder") -> str:
        """Return the address of an engine."""
        return f"unix://{self.site.engine_socket(name)}"

    @contextmanager
    def client(self, name: str = "builder") -> Iterator[APIClient]:
        """Give a client of an engine."""
        client = APIClient(base_url=self.engine(name), version="auto", timeout=120)
        try:
            yield client
        finally:
            client.close()

    def containers(self, host: str) -> list[dict[str, Any]]:
        """Return the containers of a host, those that do not run included."""
        with self.client(host) as client:
            found: list[dict[str, Any]] = client.containers(all=True)
        return found

    def remove_containers(self) -> None:
        """Remove every container of the hosts: their health checks cost time."""
        for host in site.PRODUCTION:
            with self.client(host) as client:
                for container in client.containers(all=True):
                    client.remove_container(container["Id"], force=True, v=True)

    def ports(self, count: int) -> str:
        """Return a range of ports that nobody listens on at the hosts' addresses."""
        chooser = Random()
        while True:
            first = chooser.randrange(10_000, 20_000)
            if all(
                services.port_is_free(site.ADDRESSES[host], port)
                for host in site.PRODUCTION
                for port in range(first, first + count)
            ):
                return f"{first}-{first + count - 1}"

    @property
    def proxy(self) -> dict[str, Any]:
        """The option `proxy` of a deployment."""
        return {
            "host": site.PROXY,
            "file": str(proxy.upstreams(self.site, PLACE) / "{host}.conf"),
            "command": ["nginx", "-c", str(proxy.settings(self.site, PLACE)), "-e", "stderr"],
            "pid_file": str(proxy.pid_file(self.site, PLACE)),
        }

    def live_file(self, host: str) -> Path:
        """Return the file that names a host's live container."""
        return proxy.upstreams(self.site, PLACE) / f"{host}.conf"

    @property
    def url(self) -> str:
        """Where the proxy answers."""
        return proxy.url(self.site, PLACE)

    def trust(self) -> ssl.SSLContext:
        """Return the trust that clients of proxy and registry need."""
        return ssl.create_default_context(cafile=str(tls.authority(self.site)))

    def published(self, folder: Path, version: str) -> str:
        """Build and push a version behind the actions' back; returns its reference by digest."""
        write_source(folder, version)
        name = f"{self.registry}/fleet"
        with self.client() as client:
            told = client.build(
                path=str(folder),
                tag=f"{name}:{version}",
                buildargs={"VERSION": version},
                network_mode="host",
                rm=True,
                decode=True,
            )
            _insist(list(told))
            told = client.push(name, tag=version, stream=True, decode=True, auth_config=self.auth)
            digest = _insist(list(told))["Digest"]
        return f"{name}@{digest}"

    def lose_last_layer(self, version: str) -> None:
        """Damage the registry: the last layer of a version is gone, its manifest is not."""
        name = f"{self.registry}/fleet:{version}"
        address = f"https://{self.registry}/v2/fleet/manifests/{version}"
        login = (self.auth["username"], self.auth["password"])
        answer = httpx.get(
            address, headers={"Accept": ACCEPT}, auth=login, verify=self.trust(), trust_env=False
        )
        digest = answer.json()["layers"][-1]["digest"].removeprefix("sha256:")
        blobs = self.site.at("registry", "data", "docker", "registry", "v2", "blobs", "sha256")
        (blobs / digest[:2] / digest / "data").unlink()
        with self.client() as client:
            client.remove_image(name, force=True)


def _insist(messages: list[dict[str, Any]]) -> dict[str, Any]:
    errors = [message for message in messages if "error" in message]
    assert not errors, json.dumps(errors)
    found: dict[str, Any] = {}
    for message in messages:
        found.update(message.get("aux") or {})
    return found


@contextmanager
def fleet() -> Iterator[Fleet]:
    """Start everything; tear all of it down, whatever happened to it meanwhile."""
    # Sockets of engines have long paths, so the folder's own is short.
    top = Path(tempfile.mkdtemp(prefix="rbf-", dir="/tmp"))
    ours = site.create(top / "s")
    try:
        tls.make(ours)
        hosts.make_keys(ours)
        for engine in ENGINES:
            services.start(ours, engines.service(ours, engine))
        services.start(ours, registry.service(ours))
        for host in site.HOSTS:
            services.start(ours, hosts.service(ours, host))
        hosts.write_client_files(ours)
        services.start(ours, proxy.service(ours, PLACE))
        made = Fleet(ours)
        with made.client() as client:
            name, tag = BASE.split(":")
            client.import_image_from_data(base_archive(), repository=name, tag=tag)
        yield made
    finally:
        members.end_all(ours)
        members.unmount(ours.directory)
        shutil.rmtree(top)
