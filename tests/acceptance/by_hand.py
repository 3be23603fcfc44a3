"""A production made by hand: one host, a login of its own, another registry, other ports and paths.

Its engine, sshd and nginx belong to an ordinary user that is made for the test and removed again.
Staging, builder and servers of databases are the practice production's.
"""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from runbook_tui.sandbox import (
    base_image,
    chat,
    engines,
    environments,
    members,
    postgres,
    proxy,
    registry,
    services,
    site,
    tls,
)
from runbook_tui.sandbox.services import Service
from runbook_tui.sandbox.site import ADDRESSES, LOOPBACK, Site, write
from tests.harness.practice import new_directory

HOST: Final = "app-1"
"""The sandbox's name of the parts that stand for the one host; the inventory calls it `solo`."""

_SSHD: Final = """\
ListenAddress {address}:{port}
HostKey {home}/host_key
PidFile none
AuthorizedKeysFile {home}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
AllowUsers {user}
AllowStreamLocalForwarding local
PermitOpen [{socket}]:*
Subsystem sftp internal-sftp
SetEnv {mark}={token} DOCKER_HOST=unix://{socket}
"""
_CLIENT: Final = """\
Host solo
  HostName {address}
  Port {port}
  User {user}
  IdentityFile {home}/key
  IdentitiesOnly yes
  UserKnownHostsFile {home}/known_hosts
"""


@dataclass(frozen=True)
class ByHand:
    """The second production: its own site for ports and files, and its user."""

    own: Site
    practice: Site
    user: str
    home: Path

    @property
    def socket(self) -> Path:
        """The Docker socket of the one host."""
        return self.own.engine_socket(HOST)

    def database_url(self, place: str) -> str:
        """Return how the service reaches its database of `production` or `staging`."""
        port = self.practice.ports["postgres"]
        login = f"{self.user}:{self.own.passwords['database']}"
        return f"postgresql://{login}@{LOOPBACK}:{port}/{self.user}_{place}"


@contextmanager
def production(practice_: Site) -> Iterator[ByHand]:
    """Make the second production, and remove all of it afterwards."""
    directory = new_directory()
    own = site.create(directory)
    directory.chmod(0o711)
    user = f"hand{secrets.token_hex(3)}"
    home = directory / "home"
    add = ["useradd", "--create-home", "--home-dir", str(home), "--shell", "/bin/bash"]
    subprocess.run([*add, "--password", "*", user], check=True, capture_output=True)
    try:
        made = ByHand(own, practice_, user, home)
        _make_database(made)
        _start(made)
        yield made
    finally:
        members.end_all(own)
        engines.tidy(own, HOST)
        subprocess.run(["userdel", user], check=True, capture_output=True)
        members.unmount(directory)
        shutil.rmtree(directory)


def environments_file(made: ByHand, name: str) -> str:
    """Return the environments file, JSON being YAML, of the environment `name`."""
    staging = _staging(made, name)
    variables = {
        **environments.values(made.practice, "sandbox"),
        "staging": f"{name}-staging",
        "image": f"{registry.address(made.own)}/hub/service",
        "base_image": f"{base_image.NAME}:{base_image.tag()}",
        "registry_ca": str(tls.authority(made.own)),
        "ports": f"{made.own.ports['service']}-{made.own.ports['service'] + 1}",
        "engine_socket": str(made.socket),
        "proxy_host": "solo",
        "proxy_file": str(proxy.upstreams(made.own, "production") / "{host}.conf"),
        "nginx_config": str(proxy.settings(made.own, "production")),
        "nginx_pid": str(proxy.pid_file(made.own, "production")),
        "base_url": proxy.url(made.own, "production"),
        "ca": str(tls.authority(made.own)),
        "backups": str(made.own.at("dumps")),
    }
    variables = {key: value for key, value in variables.items() if isinstance(value, str)}
    variables.pop("ssh_config")
    content = {
        "defaults": {"vars": _defaults()},
        name: {
            "ssh_config": str(made.home / "ssh_config"),
            "vars": variables,
            "hosts": {"app": ["solo"]},
            "secrets": _secrets(made, "production"),
            "steps": {step: {"run": "true"} for step in ("tests", "types", "lint")},
        },
        f"{name}-staging": staging,
    }
    return json.dumps(content, indent=2)


def _defaults() -> dict[str, str]:
    return {
        "remote": "origin",
        "build_network": "host",
        "trial_address": LOOPBACK,
        "admin_email": "second@example.org",
        "registry_user": registry.USER,
        "lock_timeout": "5s",
        "healthy_within": "90s",
        "nginx": "/usr/sbin/nginx",
        "watch_for": "2s",
        "watch_every": "1s",
        "settle_for": "2s",
        "max_error_rate": "10%",
        "max_p95": "10s",
        "resources_for": "2s",
        "resources_every": "1s",
        "slowest_query_ms": "20000",
        "max_cpu": "100",
        "max_memory": "100",
        "max_disk": "100",
    }


def _staging(made: ByHand, name: str) -> dict[str, Any]:
    """Staging is the practice production's, with this registry and a database of its own."""
    given = environments.values(made.practice, "sandbox-staging")
    variables = {key: value for key, value in given.items() if isinstance(value, str)}
    return {
        "ssh_config": variables.pop("ssh_config"),
        "vars": {**variables, "staging": f"{name}-staging"},
        "hosts": {"app": ["staging"]},
        "secrets": _secrets(made, "staging"),
    }


def _secrets(made: ByHand, place: str) -> dict[str, dict[str, str]]:
    values = {
        "DATABASE_URL": made.database_url(place),
        "REDIS_URL": made.practice.redis_url(2 if place == "production" else 3),
        "SESSION_SECRET": made.own.passwords["session"],
        "ADMIN_PASSWORD": made.own.passwords["admin"],
        "REGISTRY_PASSWORD": made.own.passwords["registry"],
        "CHAT_URL": f"{chat.url(made.practice)}/second",
    }
    for name, value in values.items():
        write(made.own.at("keys", place, name), value)
    return {name: {"file": str(made.own.at("keys", place, name))} for name in values}


def _make_database(made: ByHand) -> None:
    url = postgres.superuser_url(made.practice)
    role = sql.Identifier(made.user)
    with psycopg.connect(url, autocommit=True) as connection:
        password = sql.Literal(made.own.passwords["database"])
        connection.execute(sql.SQL("create role {} login password {}").format(role, password))
        for place in ("production", "staging"):
            name = sql.Identifier(f"{made.user}_{place}")
            connection.execute(sql.SQL("create database {} owner {}").format(name, role))
    for place in ("production", "staging"):
        own_url = postgres.superuser_url(made.practice, f"{made.user}_{place}")
        with psycopg.connect(own_url, autocommit=True) as connection:
            connection.execute("create extension pg_stat_statements")


def _start(made: ByHand) -> None:
    own = made.own
    tls.make(own)
    services.reserve(own, "service", ADDRESSES[HOST], 2)
    own.at("dumps").mkdir()
    for service in (_engine(made), _sshd(made), registry.service(own), _nginx(made)):
        services.start(own, service)


def _engine(made: ByHand) -> Service:
    service = engines.service(made.own, HOST)
    words = service.argv()
    group = words.index("--group") + 1
    return replace(service, argv=lambda: [*words[:group], made.user, *words[group + 1 :]])


def _nginx(made: ByHand) -> Service:
    service = proxy.service(made.own, "production")
    as_user = ["setpriv", f"--reuid={made.user}", f"--regid={made.user}", "--init-groups", "--"]

    def prepare() -> None:
        service.prepare()
        _give(made, made.own.at("nginx"))
        _give(made, made.own.at("tls"))

    return replace(service, argv=lambda: [*as_user, *service.argv()], prepare=prepare)


def _sshd(made: ByHand) -> Service:
    home, address = made.home, ADDRESSES[HOST]

    def prepare() -> None:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        port = made.own.ports["ssh"]
        for key in ("host_key", "key"):
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / key)]
            subprocess.run(make, check=True, capture_output=True)
        values = {"address": address, "port": port, "home": home, "user": made.user}
        values |= {"socket": made.socket, "mark": services.MARK, "token": made.own.token}
        write(home / "sshd_config", _SSHD.format(**values))
        write(home / "ssh_config", _CLIENT.format(**values))
        kind, key = (home / "host_key.pub").read_text().split()[:2]
        write(home / "known_hosts", f"[{address}]:{port} {kind} {key}\n")
        write(home / "authorized_keys", (home / "key.pub").read_text())
        _give(made, home / "authorized_keys")

    def ready() -> bool:
        client = ["ssh", "-F", str(home / "ssh_config"), "-o", "BatchMode=yes", "-n", "solo"]
        return subprocess.run([*client, "true"], capture_output=True, timeout=20).returncode == 0

    return Service(
        name="sshd",
        title="sshd",
        argv=lambda: ["/usr/sbin/sshd", "-D", "-e", "-f", str(home / "sshd_config")],
        ready=ready,
        prepare=prepare,
        port="ssh",
        address=address,
    )


def _give(made: ByHand, path: Path) -> None:
    """Give a file, or a folder with all that is in it, to the user."""
    owner = pwd.getpwnam(made.user)
    for each in [path, *(path.rglob("*") if path.is_dir() else ())]:
        os.chown(each, owner.pw_uid, owner.pw_gid)
