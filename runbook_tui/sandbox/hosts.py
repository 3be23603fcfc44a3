"""The three practice hosts: an sshd each, key login only, on an address of its own.

The client side (key, known hosts, ssh_config) lies in the sandbox too, so that nothing of the
user's own SSH settings is read or changed.
"""

from __future__ import annotations

import getpass
import subprocess
from pathlib import Path

from runbook_tui.sandbox.services import MARK, Service
from runbook_tui.sandbox.site import ADDRESSES, HOSTS, Site, write

_SERVER = """\
ListenAddress {address}:{port}
HostKey {home}/host_key
PidFile none
AuthorizedKeysFile {keys}
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthenticationMethods publickey
AllowTcpForwarding local
AllowStreamLocalForwarding local
PermitOpen [{socket}]:*
AllowAgentForwarding no
X11Forwarding no
PrintMotd no
MaxStartups 100
MaxSessions 100
ClientAliveInterval 300
Subsystem sftp internal-sftp
SetEnv {mark}={token} DOCKER_HOST=unix://{socket}
"""

_CLIENT = """\
Host {host}
  HostName {address}
  Port {port}
  User {user}
  IdentityFile {key}
  IdentitiesOnly yes
  UserKnownHostsFile {known}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
"""


def service(site: Site, host: str) -> Service:
    """Describe the sshd of one host."""
    home = site.at("ssh", host)
    return Service(
        name=f"sshd-{host}",
        title=f"The sshd of {host}",
        argv=lambda: ["/usr/sbin/sshd", "-D", "-e", "-f", str(home / "sshd_config")],
        ready=lambda: _answers(site, host),
        prepare=lambda: _prepare(site, host),
        port=f"ssh-{host}",
        address=ADDRESSES[host],
    )


def write_client_files(site: Site) -> None:
    """Write what a client needs for all hosts: `ssh/config` and `ssh/known_hosts`."""
    known = site.at("ssh", "known_hosts")
    write(known, "".join(_known_line(site, host) for host in HOSTS))
    write(site.ssh_config, "\n".join(_client_block(site, host, known) for host in HOSTS))


def make_keys(site: Site) -> None:
    """Make the operator's key and the hosts' keys that are missing."""
    site.at("ssh").mkdir(mode=0o700, exist_ok=True)
    operator = site.at("ssh", "id_ed25519")
    _make_key(operator, "sandbox-operator")
    write(site.at("ssh", "authorized_keys"), operator.with_suffix(".pub").read_text())
    for host in HOSTS:
        site.at("ssh", host).mkdir(mode=0o700, exist_ok=True)
        _make_key(site.at("ssh", host, "host_key"), host)


def _make_key(path: Path, comment: str) -> None:
    public = path.with_name(path.name + ".pub")
    if path.exists() and public.exists():
        return
    path.unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)


def _known_line(site: Site, host: str) -> str:
    kind, key = site.at("ssh", host, "host_key.pub").read_text().split()[:2]
    return f"[{ADDRESSES[host]}]:{site.ports[f'ssh-{host}']} {kind} {key}\n"


def _client_block(site: Site, host: str, known: Path) -> str:
    return _CLIENT.format(
        host=host,
        address=ADDRESSES[host],
        port=site.ports[f"ssh-{host}"],
        user=getpass.getuser(),
        key=site.at("ssh", "id_ed25519"),
        known=known,
    )


def _prepare(site: Site, host: str) -> None:
    # Debian's own start script makes this directory; sshd refuses to start without it.
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    home = site.at("ssh", host)
    settings = _SERVER.format(
        address=ADDRESSES[host],
        port=site.ports[f"ssh-{host}"],
        home=home,
        keys=site.at("ssh", "authorized_keys"),
        socket=site.engine_socket(host),
        mark=MARK,
        token=site.token,
    )
    write(home / "sshd_config", settings)
    write(home / "known_hosts", _known_line(site, host))
    write(home / "client", _client_block(site, host, home / "known_hosts"))


def _answers(site: Site, host: str) -> bool:
    """Log in for real: the port may be somebody else's, the host key is only ours."""
    tried = subprocess.run(
        ["ssh", "-F", str(site.at("ssh", host, "client")), "-n", host, "true"],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
    )
    return tried.returncode == 0
