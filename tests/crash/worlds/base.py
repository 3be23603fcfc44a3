"""What a world is: one step with an effect, and the place where the effect shows."""

from __future__ import annotations

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tests.crash.servers import Servers
from tests.harness.sshd import Ssh

Facts = Mapping[str, Any]
"""What a world holds, free of all that differs from run to run (ids, times)."""

STEP = "effect"
ENVIRONMENT = "test"


class World(ABC):
    """A directory with a runbook of one step, on servers that it shares with other worlds.

    `home` must be new; its name is unique among the worlds of a session.
    """

    action: ClassVar[str]
    points: ClassVar[tuple[str, ...]] = ()
    """The fault points that the action has inside its act."""
    heavy: ClassVar[bool] = False
    """It needs Docker engines, so it takes many seconds."""
    step: ClassVar[str] = STEP
    """The step that is struck."""

    def __init__(self, servers: Servers, home: Path) -> None:
        self.servers = servers
        self.home = home
        self.state = home / "state"
        self.work = home / "work"
        home.mkdir()
        self.make()
        self.file = home / "runbook.yaml"
        self.write()

    def make(self) -> None:
        """Make what the step needs, the run's directory to begin with."""
        self.work.mkdir()

    def write(self) -> None:
        """Write the runbook."""
        self.file.write_text(json.dumps(self.runbook(), indent=1))

    def lie_on(self, disk: Path) -> None:
        """Have the journal, and whatever else is our machine's own, on a disk that will be cut."""
        self.state = disk / "state"

    @abstractmethod
    def options(self) -> Mapping[str, Any]:
        """Return the step, without its id."""

    @abstractmethod
    def facts(self) -> Facts:
        """Return what the world holds now."""

    def environment(self) -> Mapping[str, Any]:
        """Return the environment that the runbook runs in."""
        return {}

    def runbook(self) -> Mapping[str, Any]:
        """Return the runbook."""
        step = {"id": STEP, "name": f"Effect of {self.action}", **self.options()}
        return {
            "runbook": f"Crash {self.action}",
            "version": 1,
            "environments": {ENVIRONMENT: self.environment()},
            "phases": [{"phase": "Only", "steps": [step]}],
        }

    def prepare(self) -> list[str] | None:
        """Return a command that ends well before the one that is struck, or None."""
        return None

    def command(self, prepared: str | None) -> list[str]:
        """Return the command that is struck; `prepared` is the run that `prepare` made."""
        return ["run", str(self.file), "-e", ENVIRONMENT, "--headless", "--yes"]

    def close(self) -> None:
        """Remove it, and what the servers hold for it."""
        shutil.rmtree(self.home)


class HostsWorld(World):
    """A world with the hosts app-1 and app-2."""

    def environment(self) -> Mapping[str, Any]:
        """Return an inventory of the two."""
        hosts: Ssh = self.servers.ssh
        config = hosts.config(self.home / "ssh")
        names = [f"root@{host.address}:{host.port}" for host in hosts.hosts]
        return {"hosts": {"app": names}, "ssh_config": str(config)}
