"""The practice production as a whole: bring it up, take it down, say how it stands."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from runbook_tui.sandbox import (
    base_image,
    chat,
    engines,
    environments,
    hosts,
    members,
    origin,
    postgres,
    proxy,
    redis,
    registry,
    requirements,
    services,
    site,
    tls,
)
from runbook_tui.sandbox.environments import APPLICATION_PORTS
from runbook_tui.sandbox.errors import SandboxError
from runbook_tui.sandbox.services import Service
from runbook_tui.sandbox.site import ENGINES, HOSTS, Site

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """How one part of the sandbox stands: `running`, `stopped` or `does not answer`."""

    name: str
    title: str
    state: str
    where: str


def up(directory: Path, progress: Progress) -> Site:
    """Start whatever does not run, from nothing or from a half-dead rest; a second call is quick.

    Raises SandboxError when something is missing or does not start; what has started stays and is
    used by the next call.
    """
    requirements.check()
    started = time.monotonic()
    present = site.load(directory) or site.create(directory)
    lock = Lock()

    def say(line: str) -> None:
        with lock:
            progress(line)

    with _alone(present):
        work = _parts(present)
        present.save()
        with ThreadPoolExecutor(len(work), thread_name_prefix="sandbox") as pool:
            waiting = [pool.submit(part, say) for part in work]
        present.save()
        _raise_first([future.exception() for future in waiting])
        hosts.write_client_files(present)
        environments.write_all(present)
    say(f"The practice production is up ({time.monotonic() - started:.0f} s): {directory}")
    return present


def down(directory: Path, progress: Progress) -> bool:
    """End everything and remove the directory; False when there was nothing.

    Raises SandboxError when a process cannot be ended or the directory is no sandbox.
    """
    present = site.load(directory)
    if present is None:
        if directory.exists() and any(directory.iterdir()):
            raise SandboxError(
                f"{directory} holds no {site.RECORD}, so it is not a sandbox; nothing was removed.",
                "Name the sandbox's directory in RUNBOOK_SANDBOX.",
            )
        return False
    with _alone(present):
        progress("Stopping the practice systems …")
        _stop_gently(present)
        members.end_all(present)
        for host in ENGINES:
            engines.tidy(present, host)
        members.unmount(directory)
        # The record goes last: a removal that was broken off is taken up by the next one.
        for entry in sorted(directory.iterdir(), key=lambda path: path.name == site.RECORD):
            _remove(entry)
        directory.rmdir()
    progress(f"Removed {directory}.")
    return True


def status(directory: Path) -> list[Part]:
    """Say how each part stands; an empty list when there is no sandbox."""
    present = site.load(directory)
    if present is None:
        return []
    described = _services(present)
    with ThreadPoolExecutor(len(described)) as pool:
        return list(pool.map(lambda service: _look(present, service), described))


def _look(present: Site, service: Service) -> Part:
    identity = services.recorded(present, service.name)
    if identity is None or not identity.alive():
        state = "stopped"
    else:
        state = "running" if services.running(present, service) else "does not answer"
    port = present.ports.get(service.port or "")
    where = f"{service.address}:{port}" if port else ""
    if service.name.startswith("engine-"):
        where = str(present.engine_socket(service.name.removeprefix("engine-")))
    return Part(service.name, service.title, state, where)


def _services(present: Site) -> list[Service]:
    return [
        *(engines.service(present, host) for host in ENGINES),
        registry.service(present),
        postgres.service(present),
        redis.service(present),
        *(hosts.service(present, host) for host in HOSTS),
        *(proxy.service(present, place) for place in proxy.PLACES),
        chat.service(present),
    ]


def _parts(present: Site) -> list[Callable[[Progress], None]]:
    """Return what has to be done, each for a thread of its own; first what takes longest."""
    hosts.make_keys(present)
    tls.make(present)
    after: dict[str, Callable[[Site, Progress], None]] = {
        "engine-builder": base_image.provide,
        "postgres": postgres.furnish,
    }
    for service in _services(present):
        if service.port is not None:
            services.reserve(present, service.port, service.address)
    services.reserve(present, "application", "", APPLICATION_PORTS)
    services.reserve(present, "trial")

    def task(service: Service) -> Callable[[Progress], None]:
        return lambda say: _ensure(present, service, after.get(service.name), say)

    return [_origin(present), *(task(service) for service in _services(present))]


def _origin(present: Site) -> Callable[[Progress], None]:
    def make(say: Progress) -> None:
        if not origin.ready(present):
            origin.make(present)
            say("Git origin: made, with the sample application")

    return make


def _ensure(
    present: Site, service: Service, after: Callable[[Site, Progress], None] | None, say: Progress
) -> None:
    started = time.monotonic()
    if not services.running(present, service):
        identity = services.recorded(present, service.name)
        if identity is not None and identity.alive():
            members.end([identity], service.ending, 15)
        services.start(present, service)
        say(f"{service.title}: started ({time.monotonic() - started:.1f} s)")
    if after is not None:
        after(present, say)


def _stop_gently(present: Site) -> None:
    """Ask every service to end; the engines end their containers then, which drain."""

    def stop(service: Service) -> None:
        identity = services.recorded(present, service.name)
        if identity is not None and identity.alive():
            members.end([identity], service.ending, 20)

    described = _services(present)
    with ThreadPoolExecutor(len(described)) as pool:
        list(pool.map(stop, described))


@contextmanager
def _alone(present: Site) -> Iterator[None]:
    """Hold the sandbox against another `up` or `down`; the lock is on the directory itself."""
    handle = os.open(present.directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SandboxError(
                f"Another command is starting or stopping the sandbox in {present.directory}.",
                "Wait for it to end, then look with `runbook sandbox status`.",
            ) from None
        yield
    finally:
        os.close(handle)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def _raise_first(errors: list[BaseException | None]) -> None:
    found = [error for error in errors if error is not None]
    told = [error for error in found if isinstance(error, SandboxError)]
    for error in [*told, *found]:
        raise error
