"""What real services the tests of each folder need, and what is missing here.

`make test` installs all of it as root on Debian. Elsewhere the run stops and says what is missing,
unless ALLOW_MISSING_SERVICES=1: then the tests of those folders are left out, and said to be.
"""

from __future__ import annotations

import os
import shutil
import sys
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
    "ip": "iproute2",
    "nginx": "nginx",
    "git": "git",
}
"""A program or folder, and the Debian package that brings it."""

FOLDERS = ("actions", "acceptance", "sandbox", "crash", "shared")
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


def group(path: Path, tests: Path) -> str:
    """Return which tests a test must share a worker with: those that share its services.

    The practice production is one for all that use it, and so are the engines of the actions'
    tests and the database of those of the shared journal. Other files stand alone.
    """
    folder = path.relative_to(tests).parts[0]
    if folder in ("acceptance", "sandbox"):
        return "practice"
    return folder if folder in ("actions", "shared") else str(path)


def told() -> str:
    """Return what is missing, which tests cannot run without it, and what to do."""
    folders = ", ".join(f"tests/{folder}" for folder in FOLDERS)
    lacking = "\n  ".join(["Missing here:", *missing()])
    return f"{lacking}\nThe tests of {folders} cannot run. Run the others with {ALLOWED}=1."


def needs_services(path: Path, tests: Path) -> bool:
    """Tell whether a test file stands in a folder whose tests need the services."""
    return path.relative_to(tests).parts[0] in FOLDERS


def main() -> None:
    """Say what is missing; end with 2 unless the tests may run without it."""
    if missing():
        print(told(), file=sys.stderr)
        if os.environ.get(ALLOWED) != "1":
            sys.exit(2)


if __name__ == "__main__":
    main()
