"""The engine's order for a container, made of a step's options."""

from __future__ import annotations

from typing import Any

import pytest

from runbook_tui.actions.deploy.wanted import Wanted, memory

IMAGE = f"reg.example.org/hub@sha256:{'7' * 64}"


def _wanted(**options: Any) -> Wanted:
    given = {"image": IMAGE, "service": "hub", "ports": "8081-8083", **options}
    return Wanted(given, "app-1", "10.0.0.1")


def test_an_order_holds_what_the_step_asks_for() -> None:
    wanted = _wanted(
        env={"HOST": "{address}", "PORT": "{port}", "NAME": "{host}", "JSON": '{"a": "{b}"}'},
        command=["serve", "--port={port}"],
        user="10001:10001",
        read_only=True,
        tmpfs=["/tmp"],
        volumes=["/srv/files:/files:ro"],
        cap_drop=["ALL"],
        no_new_privileges=True,
        memory="256m",
        pids=128,
    )
    assert wanted.body(8081, "1123-k7f3", "production", "old@sha256:1") == {
        "Image": IMAGE,
        "Env": ["HOST=10.0.0.1", "PORT=8081", "NAME=app-1", 'JSON={"a": "{b}"}'],
        "Cmd": ["serve", "--port=8081"],
        "User": "10001:10001",
        "Labels": {
            "runbook.run": "1123-k7f3",
            "runbook.step": "production",
            "runbook.service": "hub",
            "runbook.port": "8081",
            "runbook.image": IMAGE,
            "runbook.config": wanted.config(),
            "runbook.previous": "old@sha256:1",
        },
        "HostConfig": {
            "NetworkMode": "host",
            "RestartPolicy": {"Name": "no"},
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": ""},
            "Binds": ["/srv/files:/files:ro"],
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "Memory": 256 * 1024 * 1024,
            "PidsLimit": 128,
        },
    }


def test_a_port_is_published_where_containers_have_a_network() -> None:
    body = _wanted(network_mode="bridge", container_port=8080).body(8082, "r", "s", None)
    assert body["ExposedPorts"] == {"8080/tcp": {}}
    assert body["HostConfig"]["PortBindings"] == {
        "8080/tcp": [{"HostIp": "10.0.0.1", "HostPort": "8082"}]
    }
    assert "runbook.previous" not in body["Labels"]


@pytest.mark.parametrize(
    ("option", "same"),
    [
        ({"env": {"A": "2"}}, False),
        ({"image": IMAGE.replace("7", "8")}, False),
        ({"read_only": True}, False),
        ({"stop_within": "5s"}, True),
        ({"ports": "9000-9001"}, True),
        ({"auth": {"username": "x", "password": "y"}}, True),
    ],
)
def test_a_container_is_known_by_all_that_it_was_given(option: dict[str, Any], same: bool) -> None:
    changed = _wanted(**{"env": {"A": "1"}, **option})
    assert (changed.config() == _wanted(env={"A": "1"}).config()) is same


def test_places_are_filled_once() -> None:
    wanted = Wanted({"socket": "/run/{host}/{address}.sock", "address": "{address}"}, "{port}", "x")
    assert wanted.socket == "/run/{port}/x.sock"
    assert wanted.fill("{port} {host}", 1) == "1 {port}"
    assert list(_wanted().ports) == [8081, 8082, 8083]
    assert _wanted().digest == f"sha256:{'7' * 64}"


@pytest.mark.parametrize(
    ("text", "size"), [("1024", 1024), ("64b", 64), ("2k", 2048), ("1G", 1024**3)]
)
def test_amounts_of_memory(text: str, size: int) -> None:
    assert memory(text) == size


def test_what_is_no_amount_is_refused() -> None:
    with pytest.raises(ValueError, match="'1t' is no amount of memory"):
        memory("1t")
