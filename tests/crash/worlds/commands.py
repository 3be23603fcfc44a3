"""Scripts here and on hosts, files on hosts, tags at a remote."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from tests.crash.worlds.base import STEP, Facts, HostsWorld, World
from tests.harness.git import Repository, git, repository
from tests.harness.sshd import Sshd

_HOOK = '#!/bin/sh\nwhile read -r old new name; do echo "$name" >> {log}; done\n'


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


class Run(World):
    """A script that appends a line; nothing but its author could tell."""

    action = "run"

    @property
    def effects(self) -> Path:
        """The file that shows how often the script ran."""
        return self.home / "effects"

    def options(self) -> Mapping[str, Any]:
        return {"run": {"script": f"echo done >> {self.effects}"}}

    def facts(self) -> Facts:
        return {"lines": _lines(self.effects)}


class VerifiedRun(Run):
    """The same, with a check that tells."""

    action = "run-verified"

    def options(self) -> Mapping[str, Any]:
        check = {"run": f"grep -q done {self.effects}", "absent": [1, 2]}
        return {**super().options(), "verify": check}


class Undo(Run):
    """The undo of a script's step, in the run that takes another back."""

    action = "undo"
    step = f"undo-{STEP}"

    def options(self) -> Mapping[str, Any]:
        return {**super().options(), "undo": {"run": f"echo undone >> {self.effects}"}}

    def prepare(self) -> list[str]:
        return super().command(None)

    def command(self, prepared: str | None) -> list[str]:
        assert prepared
        return ["rollback", prepared, "--headless", "--yes"]


class Ssh(HostsWorld):
    """A script on two hosts that appends a line on each."""

    action = "ssh"
    points: ClassVar[tuple[str, ...]] = ("ssh.guard", "ssh.started", "ssh.ended", "ssh.adopted")

    def options(self) -> Mapping[str, Any]:
        script = f'echo "$RUNBOOK_HOST" >> {self.home}/effects'
        return {"ssh": {"hosts": "app", "script": script}}

    def facts(self) -> Facts:
        return {"lines": sorted(_lines(self.home / "effects"))}


class VerifiedSsh(Ssh):
    """The same, with a check that tells."""

    action = "ssh-verified"
    points = ()

    def options(self) -> Mapping[str, Any]:
        script = f'grep -q "$RUNBOOK_HOST" {self.home}/effects'
        check = {"ssh": {"hosts": "app", "script": script}, "absent": [1, 2]}
        return {**super().options(), "verify": check}


class Copy(HostsWorld):
    """A file on two hosts, each of which has a folder of its own for it."""

    action = "copy"
    points = ("copy.sent", "copy.placed")

    def make(self) -> None:
        super().make()
        (self.work / "unit").write_text("contents\n" * 1000)
        for host in self.servers.ssh.hosts:
            self._folder(host).mkdir()

    def _folder(self, host: Sshd) -> Path:
        return host.disk / self.home.name

    def options(self) -> Mapping[str, Any]:
        (there,) = {host.disk_at for host in self.servers.ssh.hosts}
        to = f"{there}/{self.home.name}/unit"
        return {"copy": {"from": str(self.work / "unit"), "to": to, "hosts": "app", "mode": "0640"}}

    def facts(self) -> Facts:
        return {host.name: self._files(self._folder(host)) for host in self.servers.ssh.hosts}

    def _files(self, folder: Path) -> Facts:
        sent = (self.work / "unit").read_bytes()
        return {
            one.name: [oct(one.stat().st_mode), "whole" if one.read_bytes() == sent else "torn"]
            for one in folder.iterdir()
        }

    def close(self) -> None:
        for host in self.servers.ssh.hosts:
            shutil.rmtree(self._folder(host))
        super().close()


class Tag(World):
    """A tag at a remote that counts what it is sent."""

    action = "tag"
    points = ("tag.made", "tag.pushed")

    def make(self) -> None:
        self.repository: Repository = repository(self.home)
        self.commit = self.repository.commit(a__txt="a")
        hook = self.repository.origin / "hooks/post-receive"
        hook.write_text(_HOOK.format(log=self.home / "received"))
        hook.chmod(0o755)

    def lie_on(self, disk: Path) -> None:
        """The repository that the tag is made in is cut off with the journal; its remote is not."""
        super().lie_on(disk)
        shutil.move(self.work, disk / "work")
        self.work = disk / "work"
        self.repository = replace(self.repository, work=self.work)
        subprocess.run(["sync", "-f", str(self.work)], check=True)

    def options(self) -> Mapping[str, Any]:
        return {"tag": {"name": "v1.0.0"}}

    def facts(self) -> Facts:
        tags = self.repository.remote_tags()
        there = {name: commit == self.commit for name, commit in tags.items()}
        same = {name: self._object(name) == self._object(name, remote=True) for name in tags}
        received = _lines(self.home / "received")
        return {"at the commit": there, "the one made here": same, "received": received}

    def _object(self, name: str, *, remote: bool = False) -> str:
        place = self.repository.origin if remote else self.repository.work
        try:
            return git(place, "rev-parse", f"refs/tags/{name}^{{tag}}")
        except subprocess.CalledProcessError:
            return "remote: none" if remote else "none"
