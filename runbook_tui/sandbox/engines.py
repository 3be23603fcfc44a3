"""One private Docker engine a host: data, socket and containerd of its own.

No bridge and no packet filter rules: containers use the host's network and bind its own address.
"""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import docker

from runbook_tui.sandbox.members import end_all_under, unmount
from runbook_tui.sandbox.services import Service
from runbook_tui.sandbox.site import Site, write


def service(site: Site, host: str) -> Service:
    """Describe the engine of one host."""
    home = site.at("engines", host)
    return Service(
        name=f"engine-{host}",
        title=f"The Docker engine of {host}",
        argv=lambda: _command(home, site.token[:6], host),
        ready=lambda: answers(site.engine_socket(host)),
        prepare=lambda: _prepare(home),
        tidy=lambda: tidy(site, host),
        env={"DOCKER_TMPDIR": str(home / "tmp"), "TMPDIR": str(home / "tmp")},
    )


def client(site: Site, host: str) -> docker.DockerClient:
    """Return a client of a host's engine; the caller closes it."""
    return docker.DockerClient(base_url=f"unix://{site.engine_socket(host)}", timeout=60)


def answers(address: Path) -> bool:
    """Tell whether an engine answers on its socket; raises OSError when nobody listens there.

    Asked without the SDK, which leaves its socket open when it cannot connect.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(address))
        connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
        return connection.recv(64).split(b" ")[1:2] == [b"200"]


def _prepare(home: Path) -> None:
    for part in ("data", "run", "tmp"):
        (home / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    # Without a key file of its own every engine of this machine has the same identity.
    write(home / "daemon.json", json.dumps({"deprecated-key-path": str(home / "key.json")}))


def _command(home: Path, token: str, host: str) -> list[str]:
    options = {
        "--config-file": str(home / "daemon.json"),
        "--data-root": str(home / "data"),
        "--exec-root": str(home / "run"),
        "--pidfile": str(home / "docker.pid"),
        "--host": f"unix://{home / 'docker.sock'}",
        "--group": "root",
        "--bridge": "none",
        "--shutdown-timeout": "10",
        "--containerd-namespace": f"sandbox-{token}-{host}",
        "--containerd-plugins-namespace": f"sandbox-{token}-{host}-plugins",
    }
    switches = ("iptables", "ip6tables", "ip-forward", "ip-masq", "userland-proxy")
    return [
        "dockerd",
        *(word for pair in options.items() for word in pair),
        *(f"--{switch}=false" for switch in switches),
    ]


def tidy(site: Site, host: str) -> None:
    """Remove what an engine that was killed leaves: containers, mounts, pid files."""
    home = site.at("engines", host)
    end_all_under(site, home)
    for address in (home / "run").glob("containerd/**/address"):
        keeper = address.read_text().strip().removeprefix("unix://")
        if keeper.startswith("/run/containerd/s/"):
            Path(keeper).unlink(missing_ok=True)
    unmount(home)
    shutil.rmtree(home / "run", ignore_errors=True)
    for name in ("docker.pid", "docker.sock"):
        (home / name).unlink(missing_ok=True)
