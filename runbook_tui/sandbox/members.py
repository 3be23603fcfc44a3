"""Which processes belong to a sandbox, and how all of them are ended.

Belonging is decided by facts that survive a crash of whoever started them: the recorded identity,
the session that a recorded leader opened, our mark in the environment, a root file system that
lies in one of our engines, and descent from any of these. Names are never looked at.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

from runbook_tui.sandbox.errors import SandboxError
from runbook_tui.sandbox.identity import PROC, Identity, Stat, boot_id, everyone, read_stat
from runbook_tui.sandbox.services import MARK, recorded, until
from runbook_tui.sandbox.site import Site


def members(site: Site) -> list[Identity]:
    """Return every process of this sandbox that runs now."""
    boot = boot_id()
    all_ = everyone()
    leaders = _leaders(site)
    mark = f"{MARK}={site.token}".encode()
    ours = {
        stat.pid
        for stat in all_
        if _led(stat, leaders, site)
        or _marked(stat.pid, mark)
        or _rooted(stat.pid, site.at("engines"))
    }
    grown = True
    while grown:
        children = {stat.pid for stat in all_ if stat.parent in ours} - ours
        grown = bool(children)
        ours |= children
    ours -= {os.getpid(), os.getppid()}
    return [Identity(boot, stat.pid, stat.start) for stat in all_ if stat.pid in ours]


def end(processes: Iterable[Identity], ending: signal.Signals, patience: float) -> None:
    """Ask processes to end, wait, and kill those that stay."""
    waiting = [process for process in processes if _send(process, ending)]
    if not until(lambda: not any(process.alive() for process in waiting), patience):
        for process in waiting:
            _send(process, signal.SIGKILL)
        until(lambda: not any(process.alive() for process in waiting), 10)


def end_all(site: Site) -> None:
    """Kill whatever is left of a sandbox, until nothing of it runs.

    Raises SandboxError when something cannot be ended.
    """
    for _ in range(20):
        left = members(site)
        if not left:
            return
        end(left, signal.SIGKILL, 10)
    numbers = ", ".join(str(process.pid) for process in members(site))
    raise SandboxError(
        f"Processes of the sandbox cannot be ended: {numbers}.",
        "They wait in the kernel; try `runbook sandbox down` again in a minute.",
    )


def end_all_under(site: Site, home: Path) -> None:
    """Kill the containers, and the processes in charge of them, of one engine that is gone."""
    for _ in range(20):
        left = [process for process in members(site) if _serves(process.pid, home)]
        if not left:
            return
        end(left, signal.SIGKILL, 10)


def unmount(directory: Path) -> None:
    """Detach every mount below a directory, the deepest first."""
    points = [
        Path(line.split()[4].encode().decode("unicode_escape"))
        for line in (PROC / "self/mountinfo").read_text().splitlines()
    ]
    for point in sorted((p for p in points if p.is_relative_to(directory)), reverse=True):
        subprocess.run(
            ["umount", "--lazy", str(point)],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )


def _leaders(site: Site) -> dict[int, Identity]:
    found = [recorded(site, path.stem) for path in site.at("run").glob("*.process")]
    boot = boot_id()
    return {leader.pid: leader for leader in found if leader is not None and leader.boot == boot}


def _led(stat: Stat, leaders: dict[int, Identity], site: Site) -> bool:
    """Tell whether a process is a recorded one or of the session that a recorded one opened.

    The kernel gives a session's number to nobody else while a member lives, so a session whose
    leader is gone is still ours, unless the number now belongs to a later process.
    """
    leader = leaders.get(stat.session)
    if leader is None or stat.start < leader.start:
        return False
    holder = read_stat(leader.pid)
    if holder is not None:
        return holder.start == leader.start
    return _works_in(stat.pid, site)


def _works_in(pid: int, site: Site) -> bool:
    try:
        return (PROC / str(pid) / "cwd").readlink().is_relative_to(site.directory)
    except OSError:
        return False


def _marked(pid: int, mark: bytes) -> bool:
    try:
        return mark in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _rooted(pid: int, below: Path) -> bool:
    """Tell whether a process's root file system is a container's, kept below a directory."""
    try:
        lines = (PROC / str(pid) / "mountinfo").read_text().splitlines()
    except OSError:
        return False
    return any(f"{below}/" in line for line in lines if line.split()[4] == "/")


def _serves(pid: int, home: Path) -> bool:
    """Tell whether an argument or the root file system of a process lies below an engine's home."""
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False
    return os.fsencode(home) + b"/" in words or _rooted(pid, home)


def _send(process: Identity, number: signal.Signals) -> bool:
    """Signal exactly this process; False when it is gone. The pidfd rules out a reused number."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        if not process.alive():
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True
