"""What real services the tests of each folder need, and what is missing here.

`make test` installs all of it as root on Debian. Elsewhere the run stops and says what is missing,
unless ALLOW_MISSING_SERVICES=1: then the tests of those folders are left out, and said to be.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

PROGRAMS: Mapping[str, str] = {
    "dockerd": "docker.io",
    "docker-registry": "docker-registry",
    "/usr/lib/postgresql": "postgresql",
    "pg_dump": "postgresql-client",
    "redis-server": "redis-server",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "nginx": "nginx",
    "git": "git",
}
"""A program or folder, and the Debian package that brings it."""

FOLDERS = ("actions", "acceptance", "sandbox", "crash")
"""Test folders whose tests start these services as root."""

ALLOWED = "ALLOW_MISSING_SERVICES"


def _present(program: str) -> bool:
    if program.startswith("/"):
        return Path(program).exists()
    paths = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"
    return shutil.which(program, path=paths) is not None


def missing() -> list[str]:
    """Return what is missing, a line each; empty when all the tests can run."""
    lines = [] if os.geteuid() == 0 else ["root: engines, namespaces and full disks need it"]
    lines += [
        f"{program}: Debian package {package}"
        for program, package in PROGRAMS.items()
        if not _present(program)
    ]
    return lines


def needs_services(path: Path, tests: Path) -> bool:
    """Tell whether a test file stands in a folder whose tests need the services."""
    return path.relative_to(tests).parts[0] in FOLDERS
