"""One host's part of a `copy` step: send to a draft beside the file, prove it, rename it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from paramiko import SFTPClient, SSHException

from runbook_tui.actions.api import ActionFailed, Context, Host, Job
from runbook_tui.actions.shared.remote_script import capture
from runbook_tui.actions.shared.ssh_connection import HostConnection, connect

LOST: Final = (OSError, EOFError, SSHException)
CHUNK: Final = 1024 * 1024

# Mode and owner are set before the rename, so nobody ever sees the file with others.
_FINISH: Final = """\
chmod -- "$MODE" "$DRAFT"
if [ -n "$OWNER" ]; then chown -- "$OWNER" "$DRAFT"; fi
sync -- "$DRAFT" 2>/dev/null || sync
mv -f -T -- "$DRAFT" "$FILE"
"""
# What an earlier try left may still be at work there, and must not find what this one sends.
_CLEAR: Final = 'rm -f -- "$DRAFT"-*'
_LOOK: Final = """\
if [ ! -e "$FILE" ]; then echo missing; exit 0; fi
stat -L -c '%a %U %G' -- "$FILE"
sha256sum <"$FILE"
"""


@dataclass(frozen=True, slots=True)
class Source:
    """One file to copy: where it is here, where it goes, and what it holds."""

    path: Path
    to: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Rights:
    """Mode as four octal digits, and owner as written; the latter may be empty."""

    mode: str
    owner: str

    def match(self, mode: str, user: str, group: str) -> bool:
        """Tell whether a file on a host has them."""
        owner, _, of_group = self.owner.partition(":")
        return int(mode, 8) == int(self.mode, 8) and owner in ("", user) and of_group in ("", group)


@dataclass(frozen=True, slots=True)
class There:
    """What a host has at a path. `fits` is False for other contents or other rights."""

    fits: bool
    exists: bool
    line: str


@contextmanager
def reached(job: Job, host: Host) -> Iterator[HostConnection]:
    """Give a connection to a host; raises ActionFailed, with nothing done, when there is none."""
    connection = connect(host, job.ssh_config, float(job.options.get("connect_timeout") or 15))
    try:
        yield connection
    finally:
        connection.close()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file here."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def send(
    connection: HostConnection, source: Source, rights: Rights, job: Job, context: Context
) -> None:
    """Copy one file; it is replaced as a whole or stays as it was."""
    name = connection.target.name
    goal = PurePosixPath(source.to)
    drafts = str(goal.with_name(f".{goal.name}.runbook-{job.run}"))
    draft = f"{drafts}-{job.number}"
    if job.number > 1:
        capture(connection, _CLEAR, {"DRAFT": drafts})
    try:
        sftp: SFTPClient = connection.sftp()
        _upload(sftp, source, draft, context, name)
    except LOST as fault:
        raise ActionFailed(
            f"{source.path.name} cannot be written to {goal.parent} on {name}: {_why(fault)}.",
            cause="connection",
        ) from fault
    context.fault("copy.sent")
    values = {"DRAFT": draft, "FILE": source.to, "MODE": rights.mode, "OWNER": rights.owner}
    done = capture(connection, _FINISH, values)
    if done.code != 0:
        with suppress(*LOST):
            sftp.remove(draft)
        raise ActionFailed(
            f"{source.to} on {name} could not be put in place: {done.words()}.",
            unknown=done.code is None,
        )


def look(connection: HostConnection, source: Source, rights: Rights) -> There:
    """Compare a file on a host with the one here, by SHA-256 and rights."""
    name = connection.target.name
    said = capture(connection, _LOOK, {"FILE": source.to})
    if said.code != 0:
        raise ActionFailed(f"{source.to} on {name} cannot be read: {said.words()}.")
    lines = said.out.splitlines()
    if lines[0] == "missing":
        return There(False, False, f"{name}: no {source.to}")
    mode, user, group = lines[0].split()
    found = lines[1].split()[0]
    if found != source.sha256:
        return There(False, True, f"{name}: {source.to} has other contents ({found[:12]})")
    if not rights.match(mode, user, group):
        return There(
            False, True, f"{name}: {source.to} has mode {mode} and belongs to {user}:{group}"
        )
    return There(True, True, f"{name}: {source.to} is {found[:12]}")


def _upload(sftp: SFTPClient, source: Source, draft: str, context: Context, name: str) -> None:
    with source.path.open("rb") as file, sftp.open(draft, "wb") as there:
        there.chmod(0o600)
        there.set_pipelined(True)
        sent = 0
        while part := file.read(CHUNK):
            context.check_stop()
            there.write(part)
            sent += len(part)
            context.progress(f"{name}: {source.path.name}", sent / max(1, source.size))


def _why(fault: Exception) -> str:
    if isinstance(fault, FileNotFoundError):
        return "that folder does not exist"
    return (getattr(fault, "strerror", None) or str(fault) or type(fault).__name__).rstrip(".")
