"""Options that the actions with images share. Read by the driver only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from runbook_tui.actions.api import Reach
from runbook_tui.actions.shared.fields import REFERENCE, Options

ENGINE_SCHEMES = ("unix://", "tcp://")


class RegistryAuth(Options):
    """Who we are at the registry."""

    username: str = Field(
        description="Login name at the registry. An empty one means that no login is needed."
    )
    password: str = Field(
        description="Password or access token, best as `${{ secrets.NAME }}`. It goes into request "
        "headers and never into an argument."
    )


class Registry(Options):
    """How the registry is reached when a digest is read from it."""

    ca: str | None = Field(
        default=None,
        description="File with the certificate authority of the registry, relative to the run's "
        "working directory. Default: the system's.",
    )
    insecure: bool = Field(
        default=False,
        description="Speak plain HTTP. A registry at a loopback address is spoken to in plain HTTP "
        "unless `ca` is given.",
    )


class LocalEngine(Options):
    """Options of actions that use one Docker engine, normally that of this machine."""

    engine: str | None = Field(
        default=None,
        description="The Docker engine: `unix:///path/docker.sock` or `tcp://host:port`. Default: "
        "$DOCKER_HOST, else unix:///var/run/docker.sock.",
    )

    @field_validator("engine")
    @classmethod
    def _known_scheme(cls, engine: str | None) -> str | None:
        if engine and REFERENCE not in engine and not engine.startswith(ENGINE_SCHEMES):
            raise ValueError(f"{engine!r} is no engine: write unix:///path or tcp://host:port")
        return engine


def engine_reach(options: Mapping[str, Any]) -> Reach:
    """Return what `doctor` looks at for an engine option."""
    return Reach("docker", str(options.get("engine") or ""))


def registry_reach(image: str, options: Mapping[str, Any]) -> Reach:
    """Return what `doctor` looks at for the registry of an image."""
    return Reach(
        "registry", image, {key: options.get(key) for key in ("auth", "registry") if key in options}
    )
