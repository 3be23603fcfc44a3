"""Real sshd processes on loopback addresses, with keys and client settings of their own."""

from __future__ import annotations

import getpass
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runbook_tui.actions.api import Host

SETTINGS = """\
ListenAddress {address}:{port}
HostKey {home}/{key}
PidFile none
AuthorizedKeysFile {home}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding local
MaxStartups 100
MaxSessions 100
SetEnv XDG_STATE_HOME={home}/state
Subsystem sftp internal-sftp
"""
_WITH_DISK = 'mount --bind "$0" "$1" && shift && exec "$@"'


def make_key(path: Path, kind: str = "ed25519") -> Path:
    """Make a key pair without a passphrase."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", path.name, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


@dataclass
class Sshd:
    """One host: its address, its server, and the line that known_hosts needs."""

    name: str
    address: str
    home: Path
    port: int = 0
    key: str = "host_ed25519"
    process: subprocess.Popen[bytes] | None = None
    within: tuple[str, ...] = ()
    """Words that run a program where the host is, such as in a network of its own."""
    disk_at: Path | None = None
    """Where the host sees the folder `disk`, which no other host has."""

    @property
    def disk(self) -> Path:
        """The folder, where everybody else sees it."""
        return self.home / "disk"

    @property
    def host(self) -> Host:
        """The host as the inventory has it."""
        return Host(self.name, getpass.getuser(), self.address, self.port)

    def known_line(self, key: str | None = None) -> str:
        """Return the line for known_hosts, of the key in use or another one."""
        kind, blob = (self.home / f"{key or self.key}.pub").read_text().split()[:2]
        return f"[{self.address}]:{self.port} {kind} {blob}\n"

    def start(self, port: int = 0) -> None:
        """Start the server and wait for its greeting; a lost port is given up for another.

        With `port` it is that one or none: where a client knows it already.
        """
        Path("/run/sshd").mkdir(exist_ok=True)
        for _ in range(10):
            self.port = port or self._free_port()
            settings = self.home / "sshd_config"
            settings.write_text(SETTINGS.format(**vars(self)))
            with (self.home / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    [*self._inside(), "/usr/sbin/sshd", "-D", "-e", "-f", str(settings)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            if self._greets():
                return
        raise AssertionError((self.home / "log").read_text())

    def _inside(self) -> list[str]:
        if self.disk_at is None:
            return [*self.within]
        places = [str(self.disk), str(self.disk_at)]
        return [*self.within, "unshare", "--mount", "sh", "-c", _WITH_DISK, *places]

    def _free_port(self) -> int:
        if self.within:
            return 2222  # nobody else is there
        with socket.create_server((self.address, 0)) as free:
            port: int = free.getsockname()[1]
            return port

    def _greets(self) -> bool:
        assert self.process
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection((self.address, self.port), timeout=10) as link:
                    if link.recv(4) == b"SSH-" and self.process.poll() is None:
                        return True
            except OSError:
                time.sleep(0.02)
        self.stop()
        return False

    def stop(self) -> None:
        """End the server; sessions that are open go on."""
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None


@dataclass(frozen=True)
class Ssh:
    """Some hosts, and the client settings that know them all."""

    home: Path
    hosts: tuple[Sshd, ...]

    def __getitem__(self, name: str) -> Sshd:
        return next(host for host in self.hosts if host.name == name)

    def config(self, path: Path, *extra: str, known: str | None = None) -> Path:
        """Write an ssh_config and its known_hosts below a folder; returns the former."""
        path.mkdir(parents=True, exist_ok=True)
        lines = "".join(host.known_line() for host in self.hosts) if known is None else known
        (path / "known_hosts").write_text(lines)
        settings = [
            *extra,
            "Host *",
            f"IdentityFile {self.home}/operator",
            "IdentitiesOnly yes",
            f"UserKnownHostsFile {path}/known_hosts",
            "GlobalKnownHostsFile /dev/null",
        ]
        (path / "ssh_config").write_text("\n".join(settings) + "\n")
        return path / "ssh_config"


@contextmanager
def ssh_hosts(
    home: Path,
    names: tuple[str, ...],
    network: str = "127.21.0",
    within: tuple[str, ...] = (),
    disk_at: Path | None = None,
) -> Iterator[Ssh]:
    """Run an sshd a name, on 127.21.0.1, 127.21.0.2, … or in another network.

    They have this machine's disk, but for the folder `disk_at`: there each sees one of its own.
    """
    operator = make_key(home / "operator")
    hosts = []
    for number, name in enumerate(names, 1):
        folder = home / name
        folder.mkdir()
        make_key(folder / "host_ed25519")
        (folder / "authorized_keys").write_text(operator.with_suffix(".pub").read_text())
        host = Sshd(name, f"{network}.{number}", folder, within=within, disk_at=disk_at)
        host.disk.mkdir()
        hosts.append(host)
    try:
        for host in hosts:
            host.start()
        yield Ssh(home, tuple(hosts))
    finally:
        for host in hosts:
            host.stop()
