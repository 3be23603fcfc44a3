"""The real servers of a matrix, one set for all its cells, each started when a cell first asks."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Self

from tests.harness.fleet import Fleet
from tests.harness.fleet import fleet as started
from tests.harness.http import Web, serving
from tests.harness.postgres import Server, running
from tests.harness.smtp import Post, post
from tests.harness.sshd import Ssh, ssh_hosts


class Servers:
    """Start what is asked for, and end all of it when left. Cells may ask at the same time."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._guard = RLock()
        self.home = Path(tempfile.mkdtemp(prefix="rbc-"))
        self._open.callback(shutil.rmtree, self.home)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    @property
    def postgres(self) -> Server:
        """A PostgreSQL; each cell makes itself a database."""
        with self._guard:
            return self._postgres

    @cached_property
    def _postgres(self) -> Server:
        return self._open.enter_context(running())

    @property
    def ssh(self) -> Ssh:
        """Two hosts, app-1 and app-2, which have this machine's disk, but for a folder."""
        with self._guard:
            return self._ssh

    @cached_property
    def _ssh(self) -> Ssh:
        home = self.home / "ssh"
        (home / "own").mkdir(parents=True)
        hosts = ssh_hosts(home, ("app-1", "app-2"), disk_at=home / "own")
        return self._open.enter_context(hosts)

    @property
    def web(self) -> Web:
        """A web server that keeps what it is sent; each cell has a path of its own."""
        with self._guard:
            return self._web

    @cached_property
    def _web(self) -> Web:
        return self._open.enter_context(serving())

    @property
    def post(self) -> Post:
        """A mail server; each cell has a recipient of its own."""
        with self._guard:
            return self._post

    @cached_property
    def _post(self) -> Post:
        return self._open.enter_context(post())

    @property
    def fleet(self) -> Fleet:
        """Docker engines, a registry, hosts and a proxy."""
        with self._guard:
            return self._fleet

    @cached_property
    def _fleet(self) -> Fleet:
        return self._open.enter_context(started())
