"""Images built, pushed and put into service, on real engines with a real registry and proxy."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock
from typing import Any, ClassVar

from docker.errors import NotFound

from runbook_tui.actions.shared import registry_client
from runbook_tui.actions.shared.docker_engine import find_image
from runbook_tui.sandbox import site
from tests.crash.worlds.base import STEP, Facts, World
from tests.harness.docker import write_source
from tests.harness.fleet import Fleet
from tests.harness.git import repository


class FleetWorld(World):
    """A world on engines; its name is the tag of its images."""

    heavy = True

    @property
    def fleet(self) -> Fleet:
        """The engines, the registry, the hosts."""
        return self.servers.fleet

    @property
    def tag(self) -> str:
        """A tag that nobody else has."""
        return f"v-{self.home.name}"


class Build(FleetWorld):
    """An image from a commit, without the cache, which would hide a second one."""

    action = "build"
    points = ("build.built",)

    def make(self) -> None:
        made = repository(self.home)
        write_source(made.work, self.tag)
        made.commit(note__txt="a")

    @property
    def image(self) -> str:
        """Name and tag of the image."""
        return f"crash:{self.tag}"

    def options(self) -> Mapping[str, Any]:
        engine = self.fleet.engine()
        args = {"VERSION": self.tag}
        given = {"image": self.image, "engine": engine, "network_mode": "host", "args": args}
        return {"build": {**given, "no_cache": True}}

    def facts(self) -> Facts:
        ours = {"label": f"org.opencontainers.image.version={self.tag}"}
        with self.fleet.client() as client:
            details = find_image(client, self.image)
            built = client.images(filters=ours)
        layers = len(details["RootFS"]["Layers"]) if details else None
        return {"layers": layers, "images": len(built)}

    def close(self) -> None:
        _forget(self.fleet, self.image)
        super().close()


class Push(FleetWorld):
    """An image in the registry."""

    action = "push"
    points = ("push.manifest",)

    @property
    def image(self) -> str:
        """Name and tag of the image."""
        return f"{self.fleet.registry}/crash:{self.tag}"

    def make(self) -> None:
        super().make()
        with self.fleet.client() as client:
            # A layer of its own, so that the registry does not have it yet.
            write_source(self.home / "source", self.tag)
            for line in client.build(
                path=str(self.home / "source"), tag=self.image, network_mode="host", decode=True
            ):
                assert "error" not in line, line

    def options(self) -> Mapping[str, Any]:
        given = {"image": self.image, "engine": self.fleet.engine(), "auth": self.fleet.auth}
        return {"push": {**given, "registry": self.fleet.access}}

    def facts(self) -> Facts:
        ca = self.fleet.access["ca"]
        found = registry_client.manifest(self.image, auth=self.fleet.auth, ca=ca, insecure=False)
        with self.fleet.client() as client:
            details = find_image(client, self.image)
        return {"is the engine's": found and details and found.config == details["Id"]}

    def close(self) -> None:
        _forget(self.fleet, self.image)
        super().close()


class Deploy(FleetWorld):
    """A container on a host, in the place of another one, behind the proxy.

    The worlds take turns: what one has put into service is what the next one replaces.
    """

    action = "deploy"
    points: ClassVar[tuple[str, ...]] = (
        *("deploy.started", "deploy.healthy", "deploy.switched", "deploy.stopped"),
    )
    published: ClassVar[dict[str, str]] = {}
    one_at_a_time: ClassVar[Lock] = Lock()
    host: ClassVar[str] = site.PRODUCTION[0]
    ports: ClassVar[str] = ""

    def make(self) -> None:
        super().make()
        self.one_at_a_time.acquire()
        for version in ("one", "two"):
            if version not in self.published:
                folder = self.servers.home / f"version-{version}"
                self.published[version] = self.fleet.published(folder, version)
        Deploy.ports = self.ports or self.fleet.ports(3)
        one, two = self.published["one"], self.published["two"]
        there = self._images()
        self.served = there == [one] or there == [two]
        self.wanted, self.other = (two, one) if there == [one] else (one, two)
        if not self.served:
            self.fleet.remove_containers()
        self.began = time.time_ns()

    def _images(self) -> list[str]:
        return [_image(one) for one in self.fleet.containers(self.host)]

    def environment(self) -> Mapping[str, Any]:
        return {"hosts": {"app": [self.host]}, "ssh_config": str(self.fleet.ssh_config)}

    def options(self) -> Mapping[str, Any]:
        return self._deploys(self.wanted)

    def _deploys(self, image: str) -> Mapping[str, Any]:
        docker = {
            "image": image,
            "service": "crash",
            "ports": self.ports,
            "socket": self.fleet.sockets,
            "auth": self.fleet.auth,
            "proxy": {**self.fleet.proxy, "drain": "60s"},
            "health": {"url": "http://{address}:{port}/", "within": "90s"},
            "stop_within": "60s",
            "env": {"HOST": "{address}", "PORT": "{port}"},
        }
        return {"deploy": {"hosts": "app", "docker": docker, "connect_timeout": 60}}

    def prepare(self) -> list[str] | None:
        if self.served:
            return None
        file = self.home / "before.yaml"
        phases = [{"phase": "Only", "steps": [{"id": "before", **self._deploys(self.other)}]}]
        file.write_text(json.dumps({**self.runbook(), "phases": phases}))
        return ["run", str(file), *super().command(None)[2:]]

    def facts(self) -> Facts:
        found = self.fleet.containers(self.host)
        live = self.fleet.live_file(self.host)
        serves = re.search(r":(\d+)\b", live.read_text()) if live.exists() else None
        by_port = {one["Labels"]["runbook.port"]: _image(one) for one in found}
        names = {self.wanted: "wanted", self.other: "other"}
        return {
            "containers": sorted(
                (names[one["Labels"]["runbook.image"]], one["State"]) for one in found
            ),
            "served": names.get(by_port.get(serves[1] if serves else "", ""), "nothing"),
            "created": self._created(),
        }

    def _created(self) -> int:
        """Count the containers of the wanted version that were made since the world was."""
        filters = {"type": "container", "event": "create", "label": f"runbook.image={self.wanted}"}
        with self.fleet.client(self.host) as client:
            since, until = self.began // 10**9, int(time.time()) + 1
            events = client.events(since=since, until=until, filters=filters, decode=True)
            return sum(1 for one in events if one["timeNano"] >= self.began)

    def close(self) -> None:
        self.one_at_a_time.release()
        super().close()


class FirstDeploy(Deploy):
    """The undo of a deployment where nothing served before: its container goes again."""

    action = "undo-deploy"
    points = ("deploy.withdrawn", "deploy.removed")
    step = f"undo-{STEP}"

    def make(self) -> None:
        super().make()
        self.fleet.remove_containers()

    def options(self) -> Mapping[str, Any]:
        done = self._deploys(self.wanted)
        docker = {
            **done["deploy"]["docker"],
            "image": f'${{{{ steps.{STEP}.previous | "" }}}}',
            "takes_back": "${{ run.id }}",
        }
        return {**done, "undo": {"deploy": {**done["deploy"], "docker": docker}}}

    def prepare(self) -> list[str]:
        return World.command(self, None)

    def command(self, prepared: str | None) -> list[str]:
        assert prepared
        return ["rollback", prepared, "--headless", "--yes"]

    def facts(self) -> Facts:
        down = " down;" in self.fleet.live_file(self.host).read_text()
        return {**super().facts(), "withdrawn": down}


def _image(container: Mapping[str, Any]) -> str:
    return str(container["Labels"]["runbook.image"])


def _forget(fleet: Fleet, image: str) -> None:
    with fleet.client() as client, suppress(NotFound):
        client.remove_image(image, force=True)
