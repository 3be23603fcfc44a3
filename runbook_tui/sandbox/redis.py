"""Redis with a password and nothing on disk: the application's sessions and counters."""

from __future__ import annotations

import socket

from runbook_tui.sandbox.services import Service
from runbook_tui.sandbox.site import LOOPBACK, Site, write

_SETTINGS = """\
bind {address}
port {port}
protected-mode yes
requirepass {password}
dir {data}
save ""
appendonly no
daemonize no
databases 4
"""


def service(site: Site) -> Service:
    """Describe the server; only ours knows the password."""
    settings = site.at("redis", "redis.conf")

    def prepare() -> None:
        data = site.at("redis")
        data.mkdir(mode=0o700, exist_ok=True)
        port, password = site.ports["redis"], site.passwords["redis"]
        text = _SETTINGS.format(address=LOOPBACK, port=port, password=password, data=data)
        write(settings, text)

    return Service(
        name="redis",
        title="Redis",
        argv=lambda: ["redis-server", str(settings)],
        ready=lambda: _answers(site),
        prepare=prepare,
        port="redis",
    )


def _answers(site: Site) -> bool:
    with socket.create_connection((LOOPBACK, site.ports["redis"]), timeout=5) as connection:
        connection.sendall(f"AUTH {site.passwords['redis']}\r\nPING\r\n".encode())
        answer = b""
        while answer.count(b"\r\n") < 2:
            piece = connection.recv(256)
            if not piece:
                return False
            answer += piece
    return answer == b"+OK\r\n+PONG\r\n"
