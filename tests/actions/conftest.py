"""Services that the tests of actions share, each started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.fleet import Fleet
from tests.harness.fleet import fleet as started
from tests.harness.postgres import Server, running
from tests.harness.sshd import Ssh, ssh_hosts


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ssh]:
    """Two hosts, app-1 and app-2, and a jump host."""
    with ssh_hosts(tmp_path_factory.mktemp("ssh"), ("app-1", "app-2", "jump")) as hosts:
        yield hosts


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL of our own."""
    with running() as server:
        yield server


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    """The address of a fresh database."""
    url = postgres.create()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """Engines, registry, hosts and proxy."""
    with started() as made:
        yield made
