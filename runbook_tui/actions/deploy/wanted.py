"""What a deployment wants on one host, as the engine is told; pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from runbook_tui.actions.shared import durations, labels

SERVICE: Final = "runbook.service"
PORT: Final = "runbook.port"
IMAGE: Final = "runbook.image"
PREVIOUS: Final = "runbook.previous"
CONFIG: Final = "runbook.config"

_NOT_ITS_OWN: Final = frozenset(
    {"auth", "health", "proxy", "socket", "stop_within", "ports", "takes_back"}
)
"""Options that make no other container."""

_UNITS: Final = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The service on one host. `options` are those of `docker`; `address` is the host's own."""

    options: Mapping[str, Any]
    host: str
    host_address: str

    @property
    def service(self) -> str:
        """The service's name."""
        return str(self.options["service"])

    @property
    def takes_back(self) -> str | None:
        """The run whose deployment is taken back."""
        return self.options.get("takes_back")

    @property
    def image(self) -> str:
        """The image by its digest; empty where there is none to go back to."""
        return str(self.options["image"])

    @property
    def digest(self) -> str:
        """The image's digest alone."""
        return self.image.rpartition("@")[2]

    @property
    def address(self) -> str:
        """Where the proxy finds the container."""
        return self.fill(str(self.options.get("address") or "{address}"))

    @property
    def socket(self) -> str:
        """The engine's socket on the host."""
        return self.fill(str(self.options.get("socket") or "/var/run/docker.sock"))

    @property
    def ports(self) -> range:
        """The ports that a container may have."""
        first, last = (int(port) for port in str(self.options["ports"]).split("-"))
        return range(first, last + 1)

    def fill(self, text: str, port: int | None = None) -> str:
        """Put the host's values into a text's places, and no others into anything."""
        places = {"{host}": self.host, "{address}": self.host_address}
        if port is not None:
            places["{port}"] = str(port)
        pattern = "|".join(re.escape(place) for place in places)
        return re.sub(pattern, lambda match: places[match[0]], text)

    def seconds(self, *path: str, default: str) -> float:
        """Return a duration among the options, in seconds."""
        found: Any = self.options
        for name in path:
            found = (found or {}).get(name)
        return durations.seconds(str(found or default))

    def config(self) -> str:
        """Return what tells two settings of the service apart: a digest over all that it gets."""
        kept = {name: value for name, value in self.options.items() if name not in _NOT_ITS_OWN}
        text = json.dumps([kept, self.address], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def name(self, port: int) -> str:
        """Return the name of the container at a port."""
        return f"{self.service}-{port}"

    def body(self, port: int, run: str, step: str, previous: str | None) -> dict[str, Any]:
        """Return the engine's order for a container; it restarts by itself only once healthy."""
        options = self.options
        env = dict(options.get("env") or {})
        marks = {**labels.labels(run, step, None), SERVICE: self.service, PORT: str(port)}
        marks |= {IMAGE: self.image, CONFIG: self.config()}
        marks |= {PREVIOUS: previous} if previous else {}
        body: dict[str, Any] = {
            "Image": self.image,
            "Env": [f"{name}={self.fill(str(value), port)}" for name, value in env.items()],
            "Labels": marks,
            "HostConfig": self._host_config(port),
        }
        if options.get("command"):
            body["Cmd"] = [self.fill(str(word), port) for word in options["command"]]
        if options.get("user"):
            body["User"] = str(options["user"])
        if options.get("container_port"):
            body["ExposedPorts"] = {f"{options['container_port']}/tcp": {}}
        return body

    def _host_config(self, port: int) -> dict[str, Any]:
        options = self.options
        config: dict[str, Any] = {
            "NetworkMode": str(options.get("network_mode") or "host"),
            "RestartPolicy": {"Name": "no"},
            "ReadonlyRootfs": bool(options.get("read_only")),
            "Tmpfs": dict.fromkeys(options.get("tmpfs") or (), ""),
            "Binds": list(options.get("volumes") or ()),
            "CapDrop": list(options.get("cap_drop") or ()),
        }
        if options.get("no_new_privileges"):
            config["SecurityOpt"] = ["no-new-privileges"]
        if options.get("memory"):
            config["Memory"] = memory(str(options["memory"]))
        if options.get("pids"):
            config["PidsLimit"] = int(options["pids"])
        if options.get("container_port"):
            binding = {"HostIp": self.address, "HostPort": str(port)}
            config["PortBindings"] = {f"{options['container_port']}/tcp": [binding]}
        return config


def memory(text: str) -> int:
    """Return the bytes that a limit such as 256m stands for."""
    match = re.fullmatch(r"(\d+)([bkmg]?)", text.lower())
    if not match:
        raise ValueError(f"{text!r} is no amount of memory, such as 256m")
    return int(match[1]) * _UNITS[match[2]]
