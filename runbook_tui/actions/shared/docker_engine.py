"""Docker engines: this machine's, and those of hosts, reached through a tunnel of OpenSSH.

The tunnel ends at a socket in a private folder; the client library then speaks to a host's engine
as to a local one. A watcher ends the tunnel when our process goes, however it goes.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from docker import APIClient
from docker.errors import ImageNotFound

from runbook_tui.actions.api import ActionFailed, Context, Host
from runbook_tui.actions.shared.docker_stream import (
    LIBRARY_ERRORS,
    StreamBroken,
    StreamError,
    follow,
    words,
)

DEFAULT: Final = "unix:///var/run/docker.sock"
TIMEOUT: Final = 120
"""Seconds that one answer of an engine may take."""
PING: Final = 10

# Ours come first and win; the same file is used by OpenSSH for jump hosts, so they hold there too.
_SETTINGS: Final = """\
StrictHostKeyChecking yes
BatchMode yes
UpdateHostKeys no
ControlMaster no
ControlPath none
PermitLocalCommand no
"""
# Standard input ends when our process does; then the watcher ends ssh.
_WATCHED: Final = (
    'exec 3<&0; "$@" </dev/null 3<&- & ssh=$!; '
    '{ cat <&3 >/dev/null; kill "$ssh" 2>/dev/null; } & wait "$ssh"'
)


def local(engine: str | None) -> APIClient:
    """Return a client of the engine of an option; raises ActionFailed when it does not answer."""
    place = engine or os.environ.get("DOCKER_HOST") or DEFAULT
    try:
        if place.startswith("unix://"):
            # The library leaves its socket open when nobody listens.
            with socket.socket(socket.AF_UNIX) as first:
                first.connect(place.removeprefix("unix://"))
        return APIClient(base_url=place, version="auto", timeout=TIMEOUT)
    except LIBRARY_ERRORS as fault:
        raise ActionFailed(
            f"The Docker engine at {place} does not answer: {words(fault)}.",
            effect="none",
            cause="engine",
        ) from fault


@contextmanager
def remote(host: Host, engine: str, ssh_config: str | None, timeout: float) -> Iterator[APIClient]:
    """Give a client of the engine behind a socket on a host.

    Raises ActionFailed, with nothing done, when the host or its engine cannot be reached in time.
    """
    with tempfile.TemporaryDirectory(prefix="runbook-") as private:
        folder = Path(private)
        tunnel = _start_tunnel(host, engine, ssh_config, timeout, folder)
        try:
            client = _client(host, engine, tunnel, folder, timeout)
            try:
                yield client
            finally:
                client.close()
        finally:
            if tunnel.stdin:
                tunnel.stdin.close()
            tunnel.wait()


def _start_tunnel(
    host: Host, engine: str, ssh_config: str | None, timeout: float, folder: Path
) -> subprocess.Popen[bytes]:
    settings = folder / "ssh_config"
    included = [ssh_config] if ssh_config else ["~/.ssh/config", "/etc/ssh/ssh_config"]
    lines = [_SETTINGS, f"ConnectTimeout {max(1, round(timeout))}\n"]
    lines += [f'Match all\nInclude "{file}"\n' for file in included]
    settings.write_text("".join(lines))
    command = ["ssh", "-F", str(settings), "-N", "-T", "-o", "ExitOnForwardFailure=yes"]
    command += ["-o", "StreamLocalBindMask=0177", "-o", "ServerAliveInterval=10"]
    command += ["-L", f"{folder / 'engine'}:{engine}"]
    command += ["-l", host.user] if host.user else []
    command += ["-p", str(host.port)] if host.port else []
    with (folder / "ssh.log").open("wb") as log:
        return subprocess.Popen(
            ["/bin/sh", "-c", _WATCHED, "tunnel", *command, "--", host.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


def _client(
    host: Host, engine: str, tunnel: subprocess.Popen[bytes], folder: Path, timeout: float
) -> APIClient:
    """Wait for the tunnel and for the engine at its end."""
    deadline = time.monotonic() + 2 * timeout
    while not _listens(folder / "engine"):
        if tunnel.poll() is not None or time.monotonic() > deadline:
            raise _no_tunnel(host, folder)
        time.sleep(0.01)
    try:
        return APIClient(base_url=f"unix://{folder / 'engine'}", version="auto", timeout=TIMEOUT)
    except LIBRARY_ERRORS as fault:
        if tunnel.poll() is not None:
            raise _no_tunnel(host, folder) from fault
        raise ActionFailed(
            f"No Docker engine answers at {engine} on {host.name} ({_reason(folder, fault)}). "
            "Either the socket is not there, or sshd does not allow forwarding to it "
            "(AllowStreamLocalForwarding).",
            effect="none",
            cause="connection",
        ) from fault


def _listens(path: Path) -> bool:
    """Tell whether somebody accepts connections; the socket's file is there a moment earlier."""
    with socket.socket(socket.AF_UNIX) as first:
        try:
            first.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def _no_tunnel(host: Host, folder: Path) -> ActionFailed:
    said = (folder / "ssh.log").read_text("utf-8", "replace").strip().splitlines()
    text = "\n".join(said)
    if "HOST IDENTIFICATION HAS CHANGED" in text or "REVOKED HOST KEY" in text:
        why = "its key has changed or is revoked"
    elif "Host key verification failed" in text:
        why = "its key is unknown, or that of a jump host; put it into known_hosts"
    else:
        why = said[-1] if said else "it did not answer in time"
    return ActionFailed(
        f"Cannot reach the Docker engine of {host.name} over SSH: {why}.",
        effect="none",
        cause=None if "key" in why else "connection",
    )


def _reason(folder: Path, fault: Exception) -> str:
    """Return what ssh said of the forwarded socket, or else what the client library says."""
    said = (folder / "ssh.log").read_text("utf-8", "replace").strip().splitlines()
    return said[-1] if said else words(fault)


def split_image(image: str) -> tuple[str, str]:
    """Return repository and tag of an image's name; the tag defaults to `latest`."""
    repository, colon, tag = image.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (image, "latest")


def registry_of(image: str) -> str:
    """Return the registry that an image's name belongs to."""
    first, slash, _ = image.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return first if named else "docker.io"


def auth_config(auth: Mapping[str, Any] | None) -> dict[str, str] | None:
    """Return a login in the client library's form; None where none is needed."""
    if not auth or not auth.get("username"):
        return None
    return {"username": str(auth["username"]), "password": str(auth["password"])}


def find_image(client: APIClient, reference: str) -> dict[str, Any] | None:
    """Return what an engine knows of an image, or None."""
    inspect: Callable[[str], dict[str, Any]] = client.inspect_image
    try:
        return inspect(reference)
    except ImageNotFound:
        return None


def answers(client: APIClient) -> bool:
    """Tell whether an engine still answers."""
    try:
        answer = client.get(f"{client.base_url}/_ping", timeout=PING)
    except LIBRARY_ERRORS:
        return False
    return answer.status_code == 200


def pull(
    client: APIClient, reference: str, auth: Mapping[str, Any] | None, context: Context
) -> dict[str, Any]:
    """Fetch an image by digest or tag, and return what the engine then knows of it.

    An error in the stream counts, whatever image of that name the engine has from before. Raises
    ActionFailed with cause `pull`.
    """
    repository, at, digest = reference.partition("@")
    tag = digest if at else split_image(reference)[1]
    name = repository if at else split_image(reference)[0]
    try:
        stream = client.pull(name, tag=tag, stream=True, decode=True, auth_config=auth_config(auth))
        follow(iter(stream), context, lambda: answers(client))
        image = find_image(client, reference)
    except (StreamError, StreamBroken, *LIBRARY_ERRORS) as fault:
        raise ActionFailed(
            f"The image {reference} could not be pulled: {words(fault)}.",
            effect="none",
            cause="pull",
        ) from fault
    if image is None:
        raise ActionFailed(
            f"The image {reference} is not there although the pull ended.",
            effect="none",
            cause="pull",
        )
    return image
