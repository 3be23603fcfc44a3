"""The least that a durable step can be: what `step` is held against.

One transaction for the intent, a process of its own that takes a lock, runs the command with its
output in a file and leaves an fsynced, renamed result; one transaction for the outcome.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Final

_WORKER: Final = """
import fcntl, os, sys
folder = sys.argv[1]
lock = os.open(folder + "/lock", os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(lock, fcntl.LOCK_EX)
output = os.open(folder + "/output.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
os.dup2(output, 1)
os.dup2(output, 2)
_, status = os.waitpid(os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ), 0)
draft = os.open(folder + "/result.new", os.O_WRONLY | os.O_CREAT, 0o600)
os.write(draft, b'{"code": %d}' % os.waitstatus_to_exitcode(status))
os.fsync(draft)
os.rename(folder + "/result.new", folder + "/result.json")
"""


class Floor:
    """Runs steps; `command` is the path of the program to run."""

    def __init__(self, folder: Path, command: str) -> None:
        self._folder = folder
        self._command = command
        self._database = database(folder / "floor.db")
        self._count = 0

    def step(self) -> None:
        """Run one step."""
        self._count += 1
        attempt = self._folder / f"step.{self._count}"
        attempt.mkdir()
        insert(self._database, "intent")
        worker = [sys.executable, "-I", "-S", "-c", _WORKER, str(attempt), self._command]
        subprocess.run(worker, stdin=subprocess.DEVNULL, start_new_session=True, check=True)
        (attempt / "result.json").read_bytes()
        insert(self._database, "outcome")

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def database(path: Path) -> sqlite3.Connection:
    """Return a database that is as durable as the journal, with one table of text."""
    made = sqlite3.connect(path, isolation_level=None)
    made.execute("PRAGMA journal_mode = WAL")
    made.execute("PRAGMA synchronous = FULL")
    made.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, data TEXT NOT NULL)")
    return made


def insert(made: sqlite3.Connection, data: str) -> None:
    """Commit one row."""
    made.execute("BEGIN IMMEDIATE")
    made.execute("INSERT INTO events (data) VALUES (?)", (data,))
    made.execute("COMMIT")
