"""Starts and stops workers through the helper process of `worker_server`."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Final

import runbook_tui
from runbook_tui.engine import orders
from runbook_tui.engine.ports import Order, WorkerStartError
from runbook_tui.engine.worker_server import FORKED, ORDER, STOP, receive, send
from state.stores.attempt_dir import AttemptDir

_START: Final = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from runbook_tui.engine.worker_server import main; main()"
)
"""The helper loads the very code that we run, wherever that lies."""

_PATIENCE: Final = 10.0
"""Seconds for the helper to end by itself when its connection is closed."""

_PRELOADED: Final = ("runbook_tui.actions.run.perform",)


class Workers:
    """The WorkerPool. Made early: the helper gets ready while the program does other things."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        # In memory: what a broken worker says of itself is not for the disk.
        self._log: IO[bytes] = os.fdopen(os.memfd_create("workers"), "w+b")
        self._server: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._connect()

    def start(self, order: Order) -> None:
        """Start a worker for an order whose directory exists; returns once it is forked.

        Raises WorkerStartError when no worker could be started; then none will act for it.
        """
        problem = self._tell(ORDER, orders.dump(order))
        # The answer may be lost though the order was not: only the claim tells who is right.
        if problem and AttemptDir(Path(order.job.directory)).claim_void():
            raise WorkerStartError(f"No worker could be started: {problem}.")

    def stop(self, directory: str, reason: str, graces: tuple[float, float] = (10.0, 5.0)) -> None:
        """Ask the worker of an attempt directory to stop: graceful, then firm.

        Returns at once. When the worker is gone, the processes of its command are stopped.
        Raises WorkerStartError when nobody could be sent to do so.
        """
        AttemptDir(Path(directory)).ask_stop(reason)
        problem = self._tell(STOP, json.dumps([directory, graces]).encode())
        if problem:
            raise WorkerStartError(f"The step could not be stopped: {problem}.")

    def close(self) -> None:
        """Let the helper process go; running workers go on."""
        with self._guard:
            self._disconnect()
            self._log.close()

    def _tell(self, kind: bytes, content: bytes) -> str | None:
        """Send a message; return what went wrong, or None when it was carried out."""
        with self._guard:
            for _ in range(2):
                if self._connection is None:
                    self._connect()
                try:
                    send(self._connected(), kind, content)
                except OSError:  # the helper is gone, and never read this: another one can
                    self._disconnect()
                    continue
                answer = receive(self._connected())
                if answer is None:
                    self._disconnect()
                    return self._last_words()
                return None if answer[0] == FORKED else answer[1].decode()
            return self._last_words()

    def _connected(self) -> socket.socket:
        if self._connection is None:
            raise OSError("the helper process is not connected")
        return self._connection

    def _connect(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            root = str(Path(runbook_tui.__file__).resolve().parent.parent)
            self._server = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, root, *_PRELOADED],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                cwd="/",
                start_new_session=True,
            )
        self._connection = ours

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._server is not None:
            try:
                self._server.wait(_PATIENCE)
            except subprocess.TimeoutExpired:  # stopped, or its machine overloaded: it has no task
                self._server.kill()
                self._server.wait()
            self._server = None

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        said = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        return f"the helper process that starts workers ended ({said.strip()})"
