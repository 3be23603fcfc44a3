"""Several operators on one journal in PostgreSQL: each with a role, a machine and a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from state.events import Record
from state.stores.location import Location
from tests.harness import postgres
from tests.harness.processes import until
from tests.harness.program import Program

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("dana", "lee", "sam", "kim")
IN_RELEASE = ("dana", "lee", "sam")


@dataclass(frozen=True)
class Team:
    """A database, a directory for the runbook, and one for each operator's own state."""

    directory: Path
    server: postgres.Server
    database: str

    @property
    def work(self) -> Path:
        """Where the runbook lies and its steps write."""
        return self.directory / "work"

    def operator(self, name: str, *, apart: bool = False) -> Program:
        """Return the program as somebody calls it; `apart`: on a machine of their own.

        That machine has its own mounts, processes, network, host name and machine id; the database
        is reached through its socket.
        """
        at = f"host={self.server.directory}&port={self.server.port}"
        return Program(
            state=self.directory / name,
            cwd=self.work,
            env={"RUNBOOK_OPERATOR": name, "PYTHONPATH": str(ROOT)},
            prefix=_machine(self.directory, name) if apart else (),
            url=f"postgresql://{name}@/{self.database}?{at}",
        )

    def write(self, steps: str, head: str = "") -> None:
        """Write the runbook `a.yaml`."""
        lines = "".join(f"      {line}\n" for line in steps.strip("\n").splitlines())
        text = f"runbook: Test\n{head}phases:\n  - phase: Only\n    steps:\n{lines}"
        (self.work / "a.yaml").write_text(text)

    def records(self) -> list[Record]:
        """Return the events of the only run; none while there is no run."""
        who = self.operator("dana")
        with Location(who.state, who.url).open(write=False) as store:
            return [one for run in store.journal.runs() for one in store.journal.read(run)]

    def kinds(self) -> list[str]:
        """Return the kinds of the run's events."""
        return [record.kind for record in self.records()]

    def until(self, kind: str) -> str:
        """Wait until the run has an event of a kind; return the run's id."""
        until(lambda: kind in self.kinds(), f"the event {kind}")
        return self.records()[0].run


def _machine(directory: Path, name: str) -> tuple[str, ...]:
    """Return the words before a command that is to run on a machine of its own."""
    identity = directory / f"{name}.machine-id"
    identity.write_text(f"{name.encode().hex():0<32}\n")
    inside = f'hostname {name}-host && mount --bind {identity} /etc/machine-id && exec "$@"'
    namespaces = ("--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--net", "--uts")
    return ("unshare", *namespaces, "sh", "-c", inside, "sh")


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """A server with a role for each person."""
    with postgres.running() as started:
        with psycopg.connect(started.url(), autocommit=True) as connection:
            connection.execute("create role runbook")
            connection.execute("create role release")
            for name in ROLES:
                connection.execute(f"create role {name} login in role runbook".encode())
            for name in IN_RELEASE:
                connection.execute(f"grant release to {name}".encode())
        yield started


@pytest.fixture
def team(tmp_path: Path, server: postgres.Server) -> Iterator[Team]:
    """A journal of their own for the test, made by its owner."""
    url = server.create()
    Location(tmp_path / "owner", url).open().close()
    made = Team(tmp_path, server, url.rpartition("/")[2])
    made.work.mkdir()
    yield made
    server.drop(url)
