"""What the sandbox needs of the machine, and what to install when it is not there."""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import Final

from runbook_tui.sandbox import postgres
from runbook_tui.sandbox.errors import SandboxError

PROGRAMS: Final = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "containerd": "docker.io",
    "runc": "docker.io",
    "docker-registry": "docker-registry",
    "redis-server": "redis-server",
    "nginx": "nginx",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "git": "git",
    "pg_dump": "postgresql-client",
    "setpriv": "util-linux",
    "setsid": "util-linux",
    "unshare": "util-linux",
    "ldd": "libc-bin",
}
"""Program -> Debian package. PostgreSQL's server is not on PATH and is looked for apart."""

MODULES: Final = ("mypy", "ruff")
"""What the sample application's own checks need."""

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing_packages() -> list[str]:
    """Return the Debian packages that have to be installed, each once, in order."""
    path = os.pathsep.join([os.environ.get("PATH", ""), _PATH])
    packages = {name for tool, name in PROGRAMS.items() if shutil.which(tool, path=path) is None}
    if postgres.programs() is None:
        packages.add("postgresql")
    return sorted(packages)


def check() -> None:
    """Raise SandboxError when this machine cannot hold a sandbox; says everything at once."""
    packages = missing_packages()
    if os.geteuid() != 0:
        raise SandboxError(
            "The practice systems need root: Docker engines and SSH hosts cannot start without it.",
            "Run this as root on Debian, best on a machine of its own"
            + (f", with these packages: {' '.join(packages)}." if packages else "."),
        )
    if packages:
        raise SandboxError(
            f"Missing on this machine: {', '.join(packages)}.",
            f"Install: apt-get install {' '.join(packages)}",
        )
    modules = [name for name in MODULES if importlib.util.find_spec(name) is None]
    if modules:
        raise SandboxError(
            f"The sample application's checks need {' and '.join(modules)} beside this program.",
            "Install: pip install 'runbook-tui[dev]'",
        )
