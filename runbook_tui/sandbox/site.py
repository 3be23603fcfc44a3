"""Where the practice systems live and how they are reached: one directory, one record of ports.

The record is `sandbox.json`. It is written before anything starts, so that whatever a broken
start left behind can be found and removed.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from runbook_tui.sandbox.errors import SandboxError

VERSION: Final = 1
RECORD: Final = "sandbox.json"
PRODUCTION: Final = ("app-1", "app-2")
STAGING: Final = "staging"
PROXY: Final = "proxy"
HOSTS: Final = (PROXY, *PRODUCTION, STAGING)
ADDRESSES: Final = {
    "proxy": "127.20.0.10",
    "app-1": "127.20.0.11",
    "app-2": "127.20.0.12",
    "staging": "127.20.0.21",
}
ENGINES: Final = ("builder", *PRODUCTION, STAGING)
LOOPBACK: Final = "127.0.0.1"

# A Unix socket's path holds 107 bytes; the longest below the directory is
# engines/builder/run/containerd/containerd.sock.ttrpc.
LONGEST: Final = 52


@dataclass(frozen=True, slots=True)
class Site:
    """A sandbox directory with its ports and passwords.

    `token` marks every process that belongs to this sandbox (in its environment).
    """

    directory: Path
    token: str
    ports: dict[str, int] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)

    def at(self, *parts: str) -> Path:
        """Return a path below the sandbox directory."""
        return self.directory.joinpath(*parts)

    def engine_socket(self, host: str) -> Path:
        """Return the socket of a host's own Docker engine."""
        return self.at("engines", host, "docker.sock")

    @property
    def work(self) -> Path:
        """The work tree of the sample application."""
        return self.at("work", "practice-hub")

    @property
    def origin(self) -> Path:
        """The bare repository that stands for the Git server."""
        return self.at("origin", "practice-hub.git")

    @property
    def runbooks(self) -> Path:
        """The runbooks of the practice production, with its own environments file."""
        return self.at("runbooks", "practice-hub")

    @property
    def ssh_config(self) -> Path:
        """OpenSSH client settings that know the three hosts and nothing else."""
        return self.at("ssh", "config")

    def database_url(self, database: str) -> str:
        """Return how the application reaches a database."""
        password = self.passwords["database"]
        return (
            f"postgresql://practice_hub:{password}@{LOOPBACK}:{self.ports['postgres']}/{database}"
        )

    def redis_url(self, number: int) -> str:
        """Return how the application reaches its cache; staging has a number of its own."""
        return f"redis://:{self.passwords['redis']}@{LOOPBACK}:{self.ports['redis']}/{number}"

    def save(self) -> None:
        """Write the record so that it is either the old or the new one, never half of it."""
        content = {"version": VERSION, **asdict(self), "directory": str(self.directory)}
        write(self.at(RECORD), json.dumps(content, indent=2, sort_keys=True) + "\n")


def default_directory() -> Path:
    """Return `$RUNBOOK_SANDBOX`, or `~/.local/share/runbook/sandbox`."""
    given = os.environ.get("RUNBOOK_SANDBOX")
    return Path(given).absolute() if given else Path.home() / ".local/share/runbook/sandbox"


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file as a whole, with the mode it is to have from its first byte on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    draft.replace(path)


def create(directory: Path) -> Site:
    """Make the directory and its record; ports are chosen as the parts start.

    Raises SandboxError when the directory cannot hold a sandbox.
    """
    if len(os.fsencode(directory)) > LONGEST:
        raise SandboxError(
            f"The path {directory} is too long for the sockets of a Docker engine.",
            f"Name a directory of at most {LONGEST} characters in RUNBOOK_SANDBOX.",
        )
    if directory.exists() and any(directory.iterdir()):
        raise SandboxError(
            f"{directory} is not empty and holds no {RECORD}, so it is not a sandbox.",
            "Name another directory in RUNBOOK_SANDBOX, or empty this one yourself.",
        )
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    passwords = {
        name: os.urandom(16).hex() for name in ("database", "redis", "admin", "session", "registry")
    }
    site = Site(directory, os.urandom(16).hex(), {}, passwords)
    site.save()
    return site


def load(directory: Path) -> Site | None:
    """Read a sandbox's record; None when there is none.

    Raises SandboxError when there is one that cannot be read.
    """
    try:
        content = json.loads((directory / RECORD).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SandboxError(
            f"{directory / RECORD} cannot be read: {error}.",
            "Name another directory in RUNBOOK_SANDBOX; this one has to be removed by hand.",
        ) from error
    if content.get("version") != VERSION or content.get("directory") != str(directory):
        raise SandboxError(
            f"{directory / RECORD} was made by another version, or for another directory.",
            "Take that sandbox down with the program that made it, or name another directory.",
        )
    return Site(directory, content["token"], content["ports"], content["passwords"])
