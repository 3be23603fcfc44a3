"""The small helper process that forks a worker for every order.

It is started early, from a fresh interpreter, holds nothing heavy and has one thread, so a fork is
quick and safe. It has a session of its own and ends when the program at the other end of its socket
is gone; the workers that it forked go on.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

from runbook_tui import proc, stopping
from runbook_tui.engine import orders, worker
from state.stores.attempt_dir import AttemptDir
from state.stores.machine import ProcessMark

FRAME: Final = struct.Struct("!cI")
"""What stands before each message: its kind and the length of what follows."""

ORDER, STOP = b"o", b"s"
FORKED, REFUSED = b"f", b"r"


def main() -> None:
    """Serve the socket that is standard input, with one byte and a text as each answer."""
    connection = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the workers
    for name in sys.argv[1:]:
        import_module(name)
    gc.freeze()  # what is loaded stays shared with the workers
    while (message := receive(connection)) is not None:
        kind, content = message
        send(connection, *_fork(connection, nothing, kind, content))


def send(connection: socket.socket, kind: bytes, content: bytes) -> None:
    """Send one message."""
    connection.sendall(FRAME.pack(kind, len(content)) + content)


def receive(connection: socket.socket) -> tuple[bytes, bytes] | None:
    """Return the next message, or None when the other end is gone."""
    head = _exactly(connection, FRAME.size)
    if head is None:
        return None
    kind, length = FRAME.unpack(head)
    content = _exactly(connection, length)
    return None if content is None else (kind, content)


def _exactly(connection: socket.socket, length: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < length:
        try:
            part = connection.recv(length - len(parts))
        except ConnectionResetError:
            return None
        if not part:
            return None
        parts += part
    return bytes(parts)


def _fork(
    connection: socket.socket, nothing: int, kind: bytes, content: bytes
) -> tuple[bytes, bytes]:
    try:
        pid = os.fork()
    except OSError as problem:
        return REFUSED, (problem.strerror or str(problem)).encode()
    if pid == 0:
        _in_child(connection, nothing, _work if kind == ORDER else _stop, content)
    return FORKED, b""


def _in_child(
    connection: socket.socket, nothing: int, act: Callable[[bytes], None], content: bytes
) -> None:
    """Become independent of the server, act, and end without its clean-up."""
    code = 1
    try:
        connection.close()
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        act(content)
        code = 0
    except BaseException:  # noqa: BLE001 - nobody is above us; standard error is the server's log
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _work(content: bytes) -> None:
    worker.work(orders.load(content))


def _stop(content: bytes) -> None:
    directory, graces = json.loads(content)
    stop_attempt(AttemptDir(Path(directory)), tuple(graces))


def stop_attempt(attempt: AttemptDir, graces: tuple[float, float]) -> None:
    """Have an attempt's worker stop; without one (or a frozen one), end its processes ourselves."""
    mark = attempt.worker() or _worker_without_claim(attempt)
    if mark is not None and proc.send(mark, signal.SIGTERM):
        proc.send(mark, signal.SIGCONT)
        deadline = time.monotonic() + sum(graces) + 3 * stopping.FIRM
        while mark.alive() and time.monotonic() < deadline:
            time.sleep(0.05)
    if attempt.read_result() is None and (attempt.claimed() == "worker" or not attempt.exists()):
        stopping.stop(lambda: _processes(attempt), graces)


def _worker_without_claim(attempt: AttemptDir) -> ProcessMark | None:
    """Return the worker of an attempt whose directory was removed: all others descend from it."""
    holders = [] if attempt.exists() else attempt.holders_of_removed()
    children = set(proc.descendants(holder.pid for holder in holders))
    return next((holder for holder in holders if holder not in children), None)


def _processes(attempt: AttemptDir) -> list[ProcessMark]:
    """Return who shares an attempt's lock, and their descendants."""
    try:
        holders = proc.lock_holders(*attempt.lock_identity())
    except FileNotFoundError:
        holders = attempt.holders_of_removed()
    children = proc.descendants(holder.pid for holder in holders)
    return list(dict.fromkeys([*holders, *children]))
