"""Services that the tests of actions share, each started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.sshd import Ssh, ssh_hosts


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ssh]:
    """Two hosts, app-1 and app-2, and a jump host."""
    with ssh_hosts(tmp_path_factory.mktemp("ssh"), ("app-1", "app-2", "jump")) as hosts:
        yield hosts
