"""Whatever was killed comes back with `up`, and `down` leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui.sandbox import base_image, members, practice
from runbook_tui.sandbox.site import Site
from tests.harness.practice import new_directory, remove


@pytest.fixture
def own() -> Iterator[Site]:
    """A sandbox of the test's own, with a container that is to stay up."""
    directory = new_directory()
    try:
        yield practice.up(directory, lambda line: None)
    finally:
        remove(directory)


def _docker(site: Site, *words: str) -> str:
    command = ["docker", "-H", f"unix://{site.engine_socket('builder')}", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _start_container(site: Site) -> None:
    image = f"{base_image.NAME}:{base_image.tag()}"
    options = ["--detach", "--name", "stays", "--network", "host", "--stop-signal", "KILL"]
    options += ["--restart", "unless-stopped"]
    sleep = ["/usr/local/bin/python3", "-c", "import time; time.sleep(3600)"]
    _docker(site, "run", *options, image, *sleep)


def _container_state(site: Site) -> str:
    return _docker(site, "inspect", "--format", "{{.State.Status}}", "stays")


def _mounts(directory: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if f"{directory}/" in line]


def test_killed_and_repaired_then_taken_down_without_a_trace(own: Site) -> None:
    _start_container(own)
    killed = members.members(own)
    assert len(killed) > 25
    for process in killed:
        if process.alive():
            os.kill(process.pid, signal.SIGKILL)

    practice.up(own.directory, lambda line: None)
    assert {part.state for part in practice.status(own.directory)} == {"running"}
    assert _container_state(own) in {"running", "restarting"}
    assert not any(process.alive() for process in killed)

    sockets = [path.read_text() for path in own.at("engines").rglob("containerd/**/address")]
    keepers = [Path(socket.strip().removeprefix("unix://")) for socket in sockets]
    assert keepers
    assert practice.down(own.directory, lambda line: None)
    assert members.members(own) == []
    assert _mounts(own.directory) == []
    assert not own.directory.exists()
    assert not any(keeper.exists() for keeper in keepers)
