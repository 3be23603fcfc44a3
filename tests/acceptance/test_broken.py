"""Everything breaks once in one deployment: each time a clear failure, mended, and on it goes.

At the end the new version itself is bad, and a rollback returns the previous one.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from runbook_tui.sandbox import hosts, members, postgres, practice, services
from runbook_tui.sandbox.site import PRODUCTION, Site
from tests.harness import answers, production, release, variant
from tests.harness.program import Done, Program, outputs, step

VERSION: Final = "v1.2.0"
ALL: Final = (*PRODUCTION, "staging")
PLACES: Final = ("production", "staging")
STAGING: Final = "practice_hub_staging"
REFUSING: Final = """
create function refuse() returns trigger language plpgsql as
    $$ begin raise exception 'refused by the test'; end $$;
create trigger refuse before insert on documents for each row execute function refuse();
"""


@contextmanager
def stopped(site: Site, name: str) -> Iterator[None]:
    """Stop a part of the practice production; start it again afterwards."""
    identity = services.recorded(site, name)
    assert identity is not None
    members.end([identity], signal.SIGTERM, 20)
    try:
        yield
    finally:
        practice.up(site.directory, lambda line: None)


def as_superuser(site: Site, database: str, text: str) -> None:
    """Run statements as the server's owner."""
    with psycopg.connect(postgres.superuser_url(site, database), autocommit=True) as connection:
        connection.execute(text.encode())


@contextmanager
def refusing(site: Site) -> Iterator[None]:
    """Let staging's database refuse connections."""
    as_superuser(site, "postgres", f"alter database {STAGING} allow_connections false")
    try:
        yield
    finally:
        as_superuser(site, "postgres", f"alter database {STAGING} allow_connections true")


@contextmanager
def locked(site: Site) -> Iterator[None]:
    """Hold a lock on the table that the migration changes."""
    with psycopg.connect(site.database_url(STAGING)) as connection:
        connection.execute("lock table documents in access exclusive mode")
        yield
        connection.rollback()


@contextmanager
def bad_uploads(site: Site) -> Iterator[None]:
    """Let every upload on staging fail."""
    as_superuser(site, STAGING, REFUSING)
    try:
        yield
    finally:
        as_superuser(site, STAGING, "drop function refuse cascade")


@contextmanager
def unknown_host(site: Site) -> Iterator[None]:
    """Forget the host key of the first production host."""
    known = site.at("ssh", "known_hosts")
    lines = known.read_text().splitlines(keepends=True)
    known.write_text("".join(line for line in lines if "127.20.0.11" not in line))
    try:
        yield
    finally:
        hosts.write_client_files(site)


pytestmark = pytest.mark.timeout(900)


class Deployment:
    """One deployment that fails again and again."""

    def __init__(self, site: Site, program: Program, folder: Path) -> None:
        self.site, self.program = site, program
        self.file = variant.quick(site, folder, lock_timeout="1s", watch_for="2m")
        self.said = answers.to_all("sandbox")
        self.run = ""

    def goes_on_until(self, id_: str, *words: str) -> str:
        """Drive until a step fails; return the reason that was recorded."""
        return self.failed(id_, self.program.run(*self.words(*words)))

    def words(self, *more: str) -> list[str]:
        """Return the command that starts or resumes the run."""
        if self.run:
            return ["resume", self.run, *self.said, *more]
        version = f"version={VERSION}"
        return ["run", str(self.file), "-e", "sandbox", "-p", version, *self.said, *more]

    def failed(self, id_: str, done: Done) -> str:
        """Insist that the run stopped, resumable, because this step failed."""
        done.expect(1)
        (newest, *_) = self.program.runs()
        self.run = newest["run"]
        one = step(self.show(), id_)
        assert one["status"] == "failed", done.output
        reason: str = one["reason"]
        assert reason in done.output
        return reason

    def show(self) -> dict[str, Any]:
        """Return what is known of the run."""
        return self.program.show(self.run)


@pytest.mark.usefixtures("demo")
def test_each_thing_breaks_is_mended_and_retried_and_the_version_is_rolled_back(
    practice_site: Site, program: Program, tmp_path: Path
) -> None:
    site = practice_site
    release.prepare(site.work, VERSION)
    before = {place: production.health(site, place)["version"] for place in PLACES}
    previous = {host: production.containers(site, host)[0].image for host in ALL}
    run = Deployment(site, program, tmp_path / "runbooks")

    with stopped(site, "registry"):
        assert "refused" in run.goes_on_until("push")
    with refusing(site):
        reason = run.goes_on_until("migrate-staging", "--answer", "push=retry")
        assert "not currently accepting connections" in reason
    with locked(site):
        reason = run.goes_on_until("migrate-staging", "--answer", "migrate-staging=retry")
        assert "lock" in reason
    with stopped(site, "redis"):
        reason = run.goes_on_until("staging", "--answer", "migrate-staging=retry")
        assert "healthy" in reason
    assert production.health(site, "staging")["version"] == before["staging"]
    with bad_uploads(site):
        reason = run.goes_on_until("smoke-staging", "--answer", "staging=retry")
        assert "Upload" in reason
    with unknown_host(site):
        reason = run.goes_on_until("production", "--answer", "smoke-staging=retry")
        assert "key" in reason
    assert production.health(site)["version"] == before["production"]
    reason = _watched_while_it_breaks(run)
    assert "error_rate" in reason or "error rate" in reason
    for host in PRODUCTION:
        for container in production.containers(site, host):
            production.docker(site, host, "start", container.name)
    _roll_back(run)

    for host in ALL:
        (container,) = production.containers(site, host)
        assert (container.status, container.health) == ("running", "healthy")
        assert container.image == previous[host]
    assert before == {place: production.health(site, place)["version"] for place in PLACES}
    for database in ("practice_hub", STAGING):
        rows = production.migrations(site, database)
        assert [by for _, by in rows].count(run.run) == 1


def _watched_while_it_breaks(run: Deployment) -> str:
    """Deploy, and stop the new containers as soon as the watching has begun."""
    with run.program.start(*run.words("--answer", "production=retry")) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Monitor error rates" in line and "try 1" in line:
                for host in PRODUCTION:
                    (container,) = production.containers(run.site, host)
                    production.docker(run.site, host, "stop", container.name)
        code = process.wait()
    return run.failed("watch", Done(code, "".join(said)))


def _roll_back(run: Deployment) -> None:
    said = ["--answer", "watch=rollback", "--confirm", "rollback=sandbox"]
    rest = ["--answer", "learnings=done", "--answer", "learnings.evidence=seen by a test"]
    run.program.run(*run.words(*said, *rest)).expect(7)
    assert run.show()["status"] == "rolled_back"
    (back, *_) = [one for one in run.program.runs() if one["run"].startswith(f"{run.run}-back")]
    shown = run.program.show(back["run"])
    assert shown["status"] == "succeeded"
    assert outputs(shown, "healthy")["requests"]
    for one in (run.run, back["run"]):
        run.program.run("audit", one).expect(0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    point = tmp_path / "disk"
    point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", str(point)]
    subprocess.run(mount, check=True)
    yield point
    subprocess.run(["umount", "--lazy", str(point)], check=True)


def test_a_full_disk_stops_the_run_cleanly_and_it_goes_on_with_room(
    small_disk: Path, program: Program, repository: Path
) -> None:
    program = Program(small_disk / "state", program.cwd)
    file = str(repository / "runbooks" / "examples" / "first.yaml")
    program.run("run", file, "--headless").expect(3)
    (run,) = program.runs()
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file_, suppress(OSError):
        while True:
            file_.write(bytes(4096))
    full = program.run("resume", run["run"], "--headless", "--answer", "well=done").expect(6)
    assert "full" in full.output
    filler.unlink()
    program.run("resume", run["run"], "--headless", "--answer", "well=done").expect(0)
    program.run("audit", run["run"]).expect(0)
