"""Starting one background service so that it can be found again, whatever happens to us.

A service begins as a tiny shell that writes down its own identity and then becomes the program:
there is no moment in which it runs and is not on record. It has a session of its own and no
terminal, so it survives whoever started it.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from runbook_tui.sandbox.errors import SandboxError
from runbook_tui.sandbox.identity import Identity, boot_id, parse_stat
from runbook_tui.sandbox.site import LOOPBACK, Site

MARK: Final = "RUNBOOK_SANDBOX_MEMBER"
READY_WITHIN: Final = 90.0
ATTEMPTS: Final = 4
PORTS: Final = range(21000, 29000)  # below the range that outgoing connections are given

_LAUNCH: Final = (
    'read -r stat </proc/$$/stat; printf "%s\\n%s\\n" "$2" "$stat" >"$1.new";'
    ' mv "$1.new" "$1"; shift 2; exec "$@"'
)


@dataclass(frozen=True, slots=True)
class Service:
    """One part that runs in the background.

    `port` names its entry in `Site.ports` (on `address`); `prepare` writes its configuration and is
    called before every start; `ready` raises or returns False until the service answers as itself.
    """

    name: str
    title: str
    argv: Callable[[], Sequence[str]]
    ready: Callable[[], bool]
    prepare: Callable[[], None] = lambda: None
    tidy: Callable[[], None] = lambda: None
    port: str | None = None
    address: str = LOOPBACK
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    ending: signal.Signals = signal.SIGTERM


def record(site: Site, name: str) -> Path:
    """Return the file in which a service wrote its identity."""
    return site.at("run", f"{name}.process")


def log(site: Site, name: str) -> Path:
    """Return the file that a service's output goes to."""
    return site.at("log", f"{name}.log")


def recorded(site: Site, name: str) -> Identity | None:
    """Return the identity that a service wrote down when it last started."""
    try:
        boot, stat = record(site, name).read_text().splitlines()
        parsed = parse_stat(stat)
    except (OSError, ValueError):
        return None
    return Identity(boot, parsed.pid, parsed.start)


def running(site: Site, service: Service) -> bool:
    """Tell whether a service's own process lives and answers."""
    identity = recorded(site, service.name)
    return identity is not None and identity.alive() and _answers(service)


def free_port(address: str, taken: set[int], random: Random | None = None) -> int:
    """Return a port that nobody listens on, outside the range of outgoing connections."""
    chooser = random or Random()  # noqa: S311  (a port is no secret)
    while True:
        port = chooser.choice(PORTS)
        if port not in taken and port_is_free(address, port):
            return port


def port_is_free(address: str, port: int) -> bool:
    """Tell whether we could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def reserve(site: Site, name: str, address: str = LOOPBACK, width: int = 1) -> None:
    """Choose a port, or `width` ports in a row, and keep it for a name that has none yet."""
    if name in site.ports:
        return
    taken = set(site.ports.values())
    while True:
        first = free_port(address, taken)
        if all(port_is_free(address, port) for port in range(first, first + width)):
            site.ports[name] = first
            return


def start(site: Site, service: Service) -> None:
    """Start a service that does not run, and wait until it answers.

    A port that somebody else has taken meanwhile is given up for another one. Raises SandboxError
    with the end of the service's log when it cannot be started.
    """
    for attempt in range(1, ATTEMPTS + 1):
        _choose_port(site, service, fresh=attempt > 1)
        service.tidy()
        service.prepare()
        _spawn(site, service)
        if _wait(site, service):
            return
        if service.port is None or not _port_was_taken(site, service):
            break
    raise SandboxError(
        f"{service.title} did not start: {_last_words(log(site, service.name))}",
        f"Read {log(site, service.name)}, mend the cause, and run `runbook sandbox up` again.",
    )


def _choose_port(site: Site, service: Service, *, fresh: bool) -> None:
    if service.port is None:
        return
    known = site.ports.get(service.port)
    if known is None or fresh or not port_is_free(service.address, known):
        site.ports[service.port] = free_port(service.address, set(site.ports.values()))


def _spawn(site: Site, service: Service) -> None:
    """Start the program, detached, and wait until it has written down who it is."""
    identity = record(site, service.name)
    identity.parent.mkdir(mode=0o700, exist_ok=True)
    identity.unlink(missing_ok=True)
    output = log(site, service.name)
    output.parent.mkdir(mode=0o700, exist_ok=True)
    setsid = shutil.which("setsid") or "/usr/bin/setsid"
    command = [setsid, "-f", "/bin/sh", "-c", _LAUNCH, "sh", str(identity), boot_id()]
    with output.open("ab") as log_file:
        subprocess.run(
            [*command, *service.argv()],
            check=True,
            cwd=service.cwd or site.directory,
            env={**environment(site), **service.env},
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=subprocess.STDOUT,
        )
    until(identity.exists, 30)


def environment(site: Site) -> dict[str, str]:
    """Return what every part finds in its environment: a path, a language, and our mark."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LANG": "C.UTF-8", "HOME": str(site.directory), MARK: site.token}


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; False when it did not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _wait(site: Site, service: Service) -> bool:
    """Wait until the service answers; False as soon as its process is gone."""
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if _answers(service):
            return True
        identity = recorded(site, service.name)
        if identity is None or not identity.alive():
            return False
        time.sleep(0.03)
    return False


def _answers(service: Service) -> bool:
    try:
        return service.ready()
    except Exception:  # noqa: BLE001  (a service that is not up yet fails in its client's own ways)
        return False


def _port_was_taken(site: Site, service: Service) -> bool:
    port = site.ports[service.port or ""]
    return "in use" in _last_words(log(site, service.name), 20) or not port_is_free(
        service.address, port
    )


def _last_words(path: Path, lines: int = 3) -> str:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 4096))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return "it left no log"
    return " / ".join(text.strip().splitlines()[-lines:]) or "it said nothing"
