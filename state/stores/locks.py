"""Who drives: a lock for each environment (and each run), by the kernel's word.

A lock is a file that its holder keeps locked with `flock`; a second file names the holder and keeps
the token, which every acquisition raises. Lock files are never removed: a removed one would let two
in. A lock's descriptor is closed on exec, so that no worker keeps it after its driver.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from dataclasses import asdict
from pathlib import Path
from typing import Final
from urllib.parse import quote

from state.holders import Held, Holder, Kind
from state.stores.files import read_or_none, write_whole
from state.stores.machine import machine_id
from state.stores.paths import FILE_MODE, locks_directory, make_directory

_LOOK_SECONDS: Final = 2.0


class Lock:
    """A lock that this process holds until `release` or its death."""

    def __init__(self, name: str, handle: int, holder: Holder, previous: Holder | None) -> None:
        self.name = name
        self.holder = holder
        self.previous = previous
        """Who held it before us; its run may have left something unresolved."""
        self._handle: int | None = handle

    @property
    def token(self) -> int:
        """The number of this acquisition; a later holder's is higher."""
        return self.holder.token

    def lost(self) -> bool:
        """Never: the kernel lets nobody else in while this process lives and holds it."""
        return False

    def release(self) -> None:
        """Let the lock go."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def acquire(
    state: Path, kind: Kind, name: str, *, run: str, operator: str, since: str, above: int = 0
) -> Lock | Held:
    """Take a lock without waiting. The token is higher than any before and than `above`.

    `state` is the state directory, `since` the time now as the journal writes it. Raises OSError.
    """
    file, record = _files(state, kind, name)
    make_directory(file.parent)
    handle = _locked(file)
    if handle is None:
        return Held(name, _look(record))
    try:
        previous = read_holder(state, kind, name)
        holder = Holder(
            run=run,
            operator=operator,
            host=socket.gethostname().partition(".")[0],
            pid=os.getpid(),
            since=since,
            token=max(above, previous.token if previous else 0) + 1,
            machine=machine_id(),
        )
        write_whole(record, json.dumps(asdict(holder)).encode(errors="replace"), sync=True)
    except BaseException:
        os.close(handle)
        raise
    return Lock(name, handle, holder, previous)


def held_by(state: Path, kind: Kind, name: str) -> Held | None:
    """Look, without taking it, whether somebody holds a lock."""
    file, record = _files(state, kind, name)
    try:
        handle = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return Held(name, _look(record))
    finally:
        os.close(handle)
    return None


def any_held(state: Path) -> bool:
    """Look whether any lock at all is held in a state directory."""
    for file in locks_directory(state).glob("*-*.lock"):
        with file.open("rb") as opened:
            try:
                fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False


def read_holder(state: Path, kind: Kind, name: str) -> Holder | None:
    """Return who holds, or last held, a lock; None when nobody did or it cannot be read."""
    return _parse(_files(state, kind, name)[1])


def _files(state: Path, kind: Kind, name: str) -> tuple[Path, Path]:
    stem = f"{kind}-{quote(name, safe=' ')}"
    directory = locks_directory(state)
    return directory / f"{stem}.lock", directory / f"{stem}.json"


def _locked(file: Path) -> int | None:
    """Return a descriptor that holds the lock; None when another process does."""
    deadline = time.monotonic() + _LOOK_SECONDS
    while True:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        taken = False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Somebody may have replaced the file between opening and locking it.
            taken = os.fstat(handle).st_ino == file.stat().st_ino
        except BlockingIOError:
            if not _only_looked_at(handle, deadline):
                return None
        except FileNotFoundError:
            continue
        finally:
            if not taken:
                os.close(handle)
        if taken:
            return handle


def _only_looked_at(handle: int, deadline: float) -> bool:
    """Whether the lock was merely looked at (shared, an instant), so that asking again helps."""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    time.sleep(0.005)
    return time.monotonic() < deadline


def _look(record: Path) -> Holder | None:
    """Read the holder's file; the holder may have locked a moment ago and not written it yet."""
    deadline = time.monotonic() + _LOOK_SECONDS
    while (holder := _parse(record)) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return holder


def _parse(record: Path) -> Holder | None:
    content = read_or_none(record)
    if content is None:
        return None
    try:
        return Holder(**json.loads(content))
    except (ValueError, TypeError):
        return None
