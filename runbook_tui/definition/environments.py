"""Environments as read, with `defaults` merged in, and the overlays of steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, WithJsonSchema, model_validator

from runbook_tui.definition.model import Keys, Name
from runbook_tui.definition.plan import PlanHost, SecretSource
from runbook_tui.definition.problems import Problem
from runbook_tui.definition.tree import Map, Seq, Spot, describe, spelling, spot
from runbook_tui.definition.validate import validate

DEFAULTS = "defaults"
_KINDS: tuple[Literal["env", "file", "command", "keyring", "prompt"], ...] = (
    "env",
    "file",
    "command",
    "keyring",
    "prompt",
)
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_HOST = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@)?"
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<address>[A-Za-z0-9][A-Za-z0-9_.-]*))"
    r"(?::(?P<port>[0-9]{1,5}))?"
)


class HostKeys(Keys):
    """A host whose name differs from its address, or that needs a port."""

    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    address: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")
    user: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")
    port: int | None = Field(default=None, ge=1, le=65535)


class SecretKeys(Keys):
    """Where a secret comes from: exactly one of the keys."""

    env: str | None = Field(default=None, min_length=1, description="An environment variable.")
    file: str | None = Field(
        default=None, min_length=1, description="A file; its last line end goes."
    )
    command: str | None = Field(
        default=None, min_length=1, description="A command that prints it, such as `pass show x`."
    )
    keyring: str | None = Field(
        default=None, pattern=r"^[^/]+/.+$", description="SERVICE/USER of the system's keyring."
    )
    prompt: str | None = Field(default=None, min_length=1, description="The operator is asked.")

    @model_validator(mode="after")
    def _one(self) -> SecretKeys:
        if len(self.model_fields_set) != 1:
            raise ValueError("a secret has exactly one of env, file, command, keyring and prompt")
        return self


Text = Annotated[str, WithJsonSchema({"type": ["string", "number", "boolean"]})]


class EnvironmentKeys(Keys):
    """What an environment is."""

    protected: StrictBool = Field(default=False, description="Its name is typed before anything.")
    lock: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="One run at a time holds it; default: the environment's name.",
    )
    vars: dict[Name, Text] = Field(default_factory=dict, description="Values of `env.NAME`.")
    hosts: dict[Name, list[str | HostKeys]] = Field(
        default_factory=dict, description="Groups of hosts, each `[user@]address[:port]`."
    )
    secrets: dict[Name, SecretKeys] = Field(
        default_factory=dict, description="Where the values of `secrets.NAME` come from."
    )
    ssh_config: str | None = Field(default=None, description="The ssh_config to use.")
    steps: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Options and keys of steps, by id, that differ here."
    )


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment with `defaults` merged in. `node` is its own part of the file."""

    name: str
    protected: bool
    lock: str
    vars: Mapping[str, str]
    groups: Mapping[str, tuple[PlanHost, ...]]
    secrets: Mapping[str, SecretSource]
    ssh_config: str | None
    overlays: Mapping[str, Map]
    place: Spot
    steps: Map | None = None
    """The own `steps` of this environment, for positions."""

    def overlay_place(self, step: str) -> Spot:
        """Return where the overlay of a step is named."""
        if self.steps is not None and step in self.steps.marks:
            return spot(self.steps, step, of_key=True)
        return self.place

    def host(self, name: str) -> PlanHost | None:
        """Return a host of the inventory by its name."""
        return next(
            (host for hosts in self.groups.values() for host in hosts if host.name == name), None
        )


def read_environments(node: Map, problems: list[Problem]) -> dict[str, Environment]:
    """Read all environments of a file or of a runbook's own key, in order."""
    defaults = node.get(DEFAULTS)
    if DEFAULTS in node and not isinstance(defaults, Map):
        said = f"expected a mapping, found {describe(defaults)}"
        problems.append(spot(node, DEFAULTS).error("type", said))
    base = defaults if isinstance(defaults, Map) else None
    if base is not None:
        _check(base, problems)
    found: dict[str, Environment] = {}
    for name, own in node.items():
        if name == DEFAULTS:
            continue
        if not _ENVIRONMENT.fullmatch(name):
            said = f'"{name}" cannot name an environment: use letters, digits, - and _'
            problems.append(spot(node, name, of_key=True).error("environment", said))
        elif own is not None and not isinstance(own, Map):
            said = f"expected a mapping, found {describe(own)}"
            problems.append(spot(node, name).error("type", said))
        else:
            if isinstance(own, Map):
                _check(own, problems)
            layers = [layer for layer in (base, own) if isinstance(layer, Map)]
            found[name] = _merge(name, layers, spot(node, name, of_key=True))
    return found


def _check(node: Map, problems: list[Problem]) -> None:
    """Check one layer, and write its variables as the file spells them."""
    variables = node.get("vars")
    if isinstance(variables, Map):
        for key, value in variables.items():
            if isinstance(value, bool | int | float):
                variables[key] = spelling(variables, key)
    validate(EnvironmentKeys, node, problems)
    groups = node.get("hosts")
    if isinstance(groups, Map):
        for hosts in groups.values():
            if isinstance(hosts, Seq):
                _check_hosts(hosts, problems)


def _check_hosts(hosts: Seq, problems: list[Problem]) -> None:
    seen: set[str] = set()
    for index, given in enumerate(hosts):
        host = _host(given)
        if isinstance(given, str) and host is None:
            said = f"{describe(given)} is no host; expected [user@]address[:port]"
            problems.append(spot(hosts, index).error("host", said))
        if host is not None and host.name in seen:
            said = f'the host "{host.name}" stands twice in this group'
            problems.append(spot(hosts, index).error("host", said))
        if host is not None:
            seen.add(host.name)


def _host(given: object) -> PlanHost | None:
    if isinstance(given, str):
        match = _HOST.fullmatch(given)
        if match is None:
            return None
        address = match["v6"] or match["address"]
        port = int(match["port"]) if match["port"] else None
        if port is not None and not 1 <= port <= 65535:
            return None
        return PlanHost(address, match["user"], address, port)
    if isinstance(given, Mapping) and isinstance(given.get("address"), str):
        address = given["address"]
        port = given.get("port")
        user = given.get("user")
        return PlanHost(
            str(given.get("name") or address),
            user if isinstance(user, str) else None,
            address,
            int(port) if isinstance(port, int | str) and str(port).isdecimal() else None,
        )
    return None


def _merge(name: str, layers: list[Map], place: Spot) -> Environment:
    """Merge layers key by key, one level: scalars, host groups and secrets are replaced whole."""

    def joined(key: str) -> dict[str, Any]:
        parts = [layer[key] for layer in layers if isinstance(layer.get(key), Map)]
        return {inner: value for part in parts for inner, value in part.items()}

    def last(key: str, kind: type) -> Any:
        values = [layer[key] for layer in layers if isinstance(layer.get(key), kind)]
        return values[-1] if values else None

    return Environment(
        name=name,
        protected=bool(last("protected", bool)),
        lock=last("lock", str) or name,
        vars={key: value for key, value in joined("vars").items() if isinstance(value, str)},
        groups={
            group: tuple(host for given in hosts if (host := _host(given)))
            for group, hosts in joined("hosts").items()
            if isinstance(hosts, Seq)
        },
        secrets={
            secret: SecretSource(secret, kind, str(source[kind]))
            for secret, source in joined("secrets").items()
            for kind in _KINDS
            if isinstance(source, Map) and kind in source
        },
        ssh_config=last("ssh_config", str),
        overlays={step: value for step, value in joined("steps").items() if isinstance(value, Map)},
        place=place,
        steps=next(
            (layer["steps"] for layer in reversed(layers) if isinstance(layer.get("steps"), Map)),
            None,
        ),
    )


def empty(place: Spot) -> Environment:
    """Return the environment of a runbook that has none: nothing is protected."""
    return Environment("", False, "", {}, {}, {}, None, {}, place)
