"""What an ssh_config says of a host: honoured, or refused in words, but never silently dropped."""

from __future__ import annotations

import getpass
import glob
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Final

from paramiko import SSHConfig
from paramiko.ssh_exception import ConfigParseError

from runbook_tui.actions.api import ActionFailed, Host
from runbook_tui.actions.shared.known_hosts import lookup_name

USERS: Final = "~/.ssh/config"
SYSTEMS: Final = "/etc/ssh/ssh_config"
KNOWN_USER: Final = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
KNOWN_SYSTEM: Final = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
REFUSED: Final = {
    "proxycommand": "use ProxyJump, whose every host's key is checked",
    "knownhostscommand": "write the keys to a known_hosts file",
    "revokedhostkeys": "mark the keys with @revoked in a known_hosts file",
    "hostkeyalgorithms": "the types of the known keys decide",
}
IGNORED: Final = ("certificatefile", "ciphers", "macs", "kexalgorithms", "pubkeyacceptedalgorithms")
DEEPEST: Final = 8


@dataclass(frozen=True, slots=True)
class Target:
    """How one host is reached. `jumps` come in the order in which they are passed.

    `key_name` is what its key is looked up under in `known_hosts`; `notes` say what of the
    settings is not followed.
    """

    name: str
    address: str
    port: int
    user: str
    keys: tuple[str, ...]
    known_hosts: tuple[str, ...]
    key_name: str
    agent: bool
    other_keys: bool
    timeout: float | None
    alive: tuple[int, int] | None = None
    """ServerAliveInterval in seconds, and ServerAliveCountMax."""
    jumps: tuple[Target, ...] = ()
    notes: tuple[str, ...] = ()


class _Config(SSHConfig):
    """The library's reader, without the tokens that would ask a name server at each look-up."""

    TOKENS_BY_CONFIG_KEY = {  # noqa: RUF012  (the base class has it as it is)
        "hostname": ["%h"],
        "identityfile": ["~", "%d", "%h", "%u", "%r"],
        "proxyjump": ["%h", "%p", "%r"],
    }


def split(text: str) -> tuple[str | None, str, int | None]:
    """Take `user@address:port` apart; an IPv6 address with a port stands in brackets."""
    user, at, rest = text.rpartition("@")
    found = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?|([^:]+):(\d+)|(.+)", rest)
    if not found:
        raise ActionFailed(f"{text!r} names no host: write [user@]address[:port].", effect="none")
    address = found[1] or found[3] or found[5]
    port = found[2] or found[4]
    return (user if at else None), address, int(port) if port else None


def load(path: str | None) -> SSHConfig:
    """Read an ssh_config, or the user's and the system's; raises ActionFailed when it is broken."""
    files = [path] if path else [os.path.expanduser(USERS), SYSTEMS]  # noqa: PTH111
    text: list[str] = []
    for file in files:
        if path or Path(file).exists():
            text += ["Host *", *_included(Path(file), 0)]
    config = _Config()
    try:
        config.parse(StringIO("\n".join(text)))
    except ConfigParseError as fault:
        raise _refused(files[0], str(fault)) from fault
    return config


def _included(file: Path, depth: int) -> Iterator[str]:
    """Yield a file's lines with what it includes at its top; the library knows no Include."""
    if depth > DEEPEST:
        raise _refused(str(file), "it includes itself")
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError as fault:
        raise _refused(str(file), fault.strerror or str(fault)) from fault
    nested = False
    for line in lines:
        word, _, rest = line.strip().replace("=", " ", 1).partition(" ")
        if word.lower() in ("host", "match"):
            nested = True
        if word.lower() != "include":
            yield line
            continue
        if nested:
            raise _refused(str(file), "Include stands below Host or Match; move it to the top")
        for pattern in rest.split():
            base = Path(os.path.expanduser(pattern.strip('"')))  # noqa: PTH111
            place = base if base.is_absolute() else Path.home() / ".ssh" / base
            for found in sorted(glob.glob(str(place))):  # noqa: PTH207
                yield from _included(Path(found), depth + 1)
        yield "Host *"


def _refused(file: str, why: str) -> ActionFailed:
    return ActionFailed(f"The SSH settings in {file} cannot be used: {why}.", effect="none")


def resolve(config: SSHConfig, host: Host) -> Target:
    """Return how a host is reached; raises ActionFailed for settings that cannot be followed."""
    target = _one(config, host)
    jump = config.lookup(host.address).get("proxyjump", "none")
    if jump.lower() == "none":
        return target
    jumps: list[Target] = []
    for hop in jump.split(","):
        user, address, port = split(hop.strip().removeprefix("ssh://"))
        passed = _one(config, Host(address, user, address, port))
        further = config.lookup(address).get("proxyjump", "none")
        if (passed.address, passed.port) == (target.address, target.port):
            raise ActionFailed(
                f"{host.name} cannot be its own jump host: exclude it from ProxyJump in the SSH "
                "settings.",
                effect="none",
            )
        if further.lower() not in ("none", jump.lower()):
            raise ActionFailed(
                f"The jump host {address} of {host.name} has a ProxyJump of its own: name all "
                "jump hosts in one list, separated by commas.",
                effect="none",
            )
        jumps.append(passed)
    notes = [note for passed in jumps for note in passed.notes]
    return replace(target, jumps=tuple(jumps), notes=(*target.notes, *notes))


def _one(config: SSHConfig, host: Host) -> Target:
    found: Mapping[str, str | Sequence[str]] = config.lookup(host.address)
    settings = {key: value for key, value in found.items() if isinstance(value, str)}
    for word, advice in REFUSED.items():
        if settings.get(word, "none").lower() != "none":
            raise ActionFailed(
                f"The SSH settings for {host.name} use {word}, which is not supported: {advice}.",
                effect="none",
            )
    address = settings.get("hostname", host.address)
    port = host.port or _number(host, "Port", settings.get("port", "22"))
    limit = settings.get("connecttimeout")
    only_given = settings.get("identitiesonly", "no").lower() == "yes"
    keys, missing = _keys(found.get("identityfile", ()))
    return Target(
        name=host.name,
        address=address,
        port=port,
        user=host.user or settings.get("user") or getpass.getuser(),
        keys=keys,
        known_hosts=_known_hosts(settings),
        key_name=settings.get("hostkeyalias") or lookup_name(address, port),
        agent=not only_given and _agent(host, settings),
        other_keys=not only_given,
        timeout=float(_number(host, "ConnectTimeout", limit)) if limit else None,
        alive=_alive(host, settings),
        notes=(*missing, *_notes(host, settings)),
    )


def _alive(host: Host, settings: Mapping[str, str]) -> tuple[int, int] | None:
    interval = _number(host, "ServerAliveInterval", settings.get("serveraliveinterval", "0"))
    count = _number(host, "ServerAliveCountMax", settings.get("serveralivecountmax", "3"))
    return (interval, max(count, 1)) if interval else None


def _number(host: Host, word: str, text: str) -> int:
    if not text.isdigit():
        raise ActionFailed(
            f"The SSH settings for {host.name} have {word} {text}, which is no number.",
            effect="none",
        )
    return int(text)


def _keys(given: str | Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    files = [given] if isinstance(given, str) else [file for file in given if file != "none"]
    there = tuple(file for file in files if Path(file).exists())
    return there, tuple(f"the key {file} does not exist" for file in files if file not in there)


def _known_hosts(settings: Mapping[str, str]) -> tuple[str, ...]:
    user = settings.get("userknownhostsfile")
    system = settings.get("globalknownhostsfile")
    files = (*(user.split() if user else KNOWN_USER), *(system.split() if system else KNOWN_SYSTEM))
    return tuple(
        os.path.expanduser(file.strip('"').replace("%d", "~"))  # noqa: PTH111
        for file in files
        if file != "none"
    )


def _agent(host: Host, settings: Mapping[str, str]) -> bool:
    """Tell whether the agent of the environment is to be asked; no other one can be."""
    wanted = settings.get("identityagent", "SSH_AUTH_SOCK")
    if wanted.lower() == "none":
        return False
    here = os.environ.get("SSH_AUTH_SOCK", "")
    path = os.path.expanduser(wanted.strip('"'))  # noqa: PTH111
    if wanted not in ("SSH_AUTH_SOCK", "$SSH_AUTH_SOCK") and path != here:
        raise ActionFailed(
            f"The SSH settings for {host.name} name the agent {wanted}; only the one in "
            "$SSH_AUTH_SOCK can be asked. Set that variable to it.",
            effect="none",
        )
    return True


def _notes(host: Host, settings: Mapping[str, str]) -> Iterator[str]:
    strict = settings.get("stricthostkeychecking", "yes").lower()
    if strict not in ("yes", "true", "ask"):
        yield (
            f"StrictHostKeyChecking {strict} for {host.name} is not followed: host keys are always "
            "checked"
        )
    for word in IGNORED:
        if word in settings:
            yield f"{word} for {host.name} is not followed"
