"""Engines behind SSH: only of hosts whose key is known, and no tunnel outlives its user."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from runbook_tui.actions.api import ActionFailed, Host
from runbook_tui.actions.shared import docker_engine
from tests.harness.fleet import Fleet
from tests.harness.here import Here, until

HOLDER = """\
import sys
from runbook_tui.actions.api import Host
from runbook_tui.actions.shared.docker_engine import remote
with remote(Host("app-1", None, "app-1"), sys.argv[1], sys.argv[2], 60) as client:
    print(client.base_url, flush=True)
    sys.stdin.read()
"""


def _refused(host: Host, socket: str, config: Path | str) -> ActionFailed:
    with (
        pytest.raises(ActionFailed) as raised,
        docker_engine.remote(host, socket, str(config), 30),
    ):
        raise AssertionError("it was let in")
    assert raised.value.effect == "none"
    return raised.value


def _tunnels(mark: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if mark.encode() in words and b"ssh\0-F" in words:
            found.append(path.parent.name)
    return found


def test_a_hosts_own_engine_answers_and_the_tunnel_goes(fleet: Fleet) -> None:
    socket = fleet.sockets.replace("{host}", "app-1")
    with (
        fleet.client("app-1") as direct,
        docker_engine.remote(fleet.hosts[0], socket, str(fleet.ssh_config), 60) as client,
    ):
        assert client.info()["ID"] == direct.info()["ID"]
        assert _tunnels(socket)
    assert not _tunnels(socket)


def test_a_tunnel_does_not_outlive_a_killed_worker(fleet: Fleet) -> None:
    socket = fleet.sockets.replace("{host}", "app-1")
    command = [sys.executable, "-c", HOLDER, socket, str(fleet.ssh_config)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdin
    assert holder.stdout.readline()
    assert _tunnels(socket)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    holder.stdin.close()
    until(lambda: not _tunnels(socket))


def test_unknown_keys_and_missing_sockets_are_refused(fleet: Fleet, tmp_path: Path) -> None:
    socket = fleet.sockets.replace("{host}", "app-1")
    host = fleet.hosts[0]
    text = fleet.ssh_config.read_text()
    careless = tmp_path / "careless"
    careless.write_text(
        text.replace("StrictHostKeyChecking yes", "StrictHostKeyChecking no").replace(
            "UserKnownHostsFile", "UserKnownHostsFile /dev/null #"
        )
    )
    assert "its key is unknown" in _refused(host, socket, careless).sentence
    assert "No Docker engine answers at /nowhere.sock on app-1" in (
        _refused(host, "/nowhere.sock", fleet.ssh_config).sentence
    )
    nobody = replace(host, address="127.0.0.1", port=1)
    fault = _refused(nobody, socket, fleet.ssh_config)
    assert "Connection refused" in fault.sentence
    assert fault.cause == "connection"


def test_a_pull_that_fails_counts_although_a_stale_image_has_the_name(
    fleet: Fleet, tmp_path: Path
) -> None:
    """The client's own `images.pull` returns the stale image in all of these."""
    stale = fleet.published(tmp_path / "old", "v1")
    fleet.published(tmp_path / "new", "broken")
    fleet.lose_last_layer("broken")
    here = Here(tmp_path)
    name = f"{fleet.registry}/fleet"
    with fleet.client("app-1") as client:
        image = docker_engine.pull(client, stale, fleet.auth, here)
        for tag in ("broken", "gone"):
            client.tag(image["Id"], name, tag)
        for tag, auth, why in (
            ("broken", fleet.auth, "unknown blob"),
            ("gone", fleet.auth, "manifest unknown"),
            ("gone", None, ""),
        ):
            with pytest.raises(ActionFailed, match=f"could not be pulled: .*{why}") as raised:
                docker_engine.pull(client, f"{name}:{tag}", auth, here)
            assert (raised.value.cause, raised.value.effect) == ("pull", "none")
        for tag in ("broken", "gone"):
            client.remove_image(f"{name}:{tag}")


@pytest.mark.parametrize(
    ("image", "parts", "registry"),
    [
        ("app", ("app", "latest"), "docker.io"),
        ("team/app:v1", ("team/app", "v1"), "docker.io"),
        ("localhost:5000/app", ("localhost:5000/app", "latest"), "localhost:5000"),
        ("reg.example.org/a/b:v1", ("reg.example.org/a/b", "v1"), "reg.example.org"),
    ],
)
def test_names_of_images(image: str, parts: tuple[str, str], registry: str) -> None:
    assert docker_engine.split_image(image) == parts
    assert docker_engine.registry_of(image) == registry


def test_an_engine_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with pytest.raises(ActionFailed, match="The Docker engine at unix:///nowhere") as raised:
        docker_engine.local("unix:///nowhere")
    assert (raised.value.cause, raised.value.effect) == ("engine", "none")
