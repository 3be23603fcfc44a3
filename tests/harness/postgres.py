"""A PostgreSQL of the tests' own: private directory, free port, a fresh database each test."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/bin"))


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `numbers` names its databases."""

    directory: Path
    port: int
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database, by TCP."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create(self) -> str:
        """Make a fresh database and return its address."""
        name = f"test_{next(self.numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"create database {name}".encode())
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        name = url.rpartition("/")[2]
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"drop database if exists {name} with (force)".encode())

    def processes(self) -> list[int]:
        """Return the server's processes, the one that makes the others first."""
        first = int((self.directory / "data" / "postmaster.pid").read_text().split()[0])
        listed = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, listed)]

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop every process of the server: links stay up, and nobody answers."""
        os.kill(self.processes()[0], signal.SIGSTOP)  # now it makes no others
        stopped = self.processes()
        for pid in stopped[1:]:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

    def control(self, *words: str) -> None:
        """Run pg_ctl (`stop`, `start`, `-m immediate restart`)."""
        _as_postgres([str(BIN / "pg_ctl"), "-D", str(self.directory / "data"), "-w", *words])


@contextmanager
def running() -> Iterator[Server]:
    """Start a server and stop it; the directory is one that the user postgres may enter."""
    directory = Path(tempfile.mkdtemp(prefix="runbook-pg-"))
    shutil.chown(directory, "postgres")
    directory.chmod(0o700)
    try:
        data = directory / "data"
        _as_postgres([str(BIN / "initdb"), "-D", str(data), "-A", "trust", "--no-sync"])
        server = Server(directory, _free_port())
        settings = f"-p {server.port} -c listen_addresses=127.0.0.1 -k {directory} -c fsync=off"
        try:
            server.control("-o", settings, "-l", str(directory / "log"), "start")
            _insist(server)
            yield server
        finally:
            server.control("-m", "immediate", "stop")
    finally:
        shutil.rmtree(directory)


def _as_postgres(command: list[str]) -> None:
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*prefix, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    assert done.returncode == 0, f"{command[0]}: {done.stderr}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _insist(server: Server) -> None:
    """What answers at the port is ours, and nobody else's."""
    with psycopg.connect(server.url()) as connection:
        found = connection.execute("show data_directory").fetchone()
    assert found == (str(server.directory / "data"),)
