"""Pictures for docs/resume.md: runs of the real program, really cut off, and taken up on a screen.

`python -m scripts.resume_pictures docs/images` starts a PostgreSQL of the tests' own, runs a small
deployment in processes that die at fault points, resumes each in the program and photographs at
80x24 what the operator sees. Needs root (another machine is a namespace), PostgreSQL, rsvg-convert.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from textual.pilot import Pilot

from runbook_tui import secrets
from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.engine_backend import EngineBackend
from scripts.screenshots import Camera, asked, text, until
from state.stores.location import Location
from tests.harness import postgres

SMALL = ((80, 24),)
Look = Callable[[Pilot[Any]], Awaitable[None]]

RUNBOOK = """\
runbook: Deploy Practice Hub
version: 1
environments:
  staging: {{vars: {{}}}}
parameters:
  version: {{prompt: Version, default: v1.4.0}}
phases:
  - phase: Deployment
    steps:
      - id: tests
        name: Run all tests
        run: echo 214 passed
      - id: changes
        name: Migrations and search index
        parallel:
          - id: migrate
            name: Run database migrations
            migrate: {{database: "{database}"}}
            help: |
              If it waits on a lock, find its holder:
              select * from pg_stat_activity;
          - id: index
            name: Rebuild the search index
            run: |
              for n in 1 2 3 4 5 6; do echo "indexed $n of 40 parts"; done
              until [ -e "{go}" ]; do sleep 0.2; done
      - id: cache
        name: Warm the cache
        run: ./warm-cache.sh
        undo: {{run: ./empty-cache.sh}}
      - id: flag
        name: Switch maintenance mode off
        confirm: ask
        run: rm -f maintenance.flag
contacts:
  - {{role: DBA, name: Kim Ode, reach: +44 20 7946 0018}}
"""
FAILS = "echo warming 3 of 12 regions; echo 'eu-3: connection refused' >&2; exit 1"
OTHER = ("run: rm -f maintenance.flag", "run: ./maintenance.sh off")
MORE = """\
  - phase: Post-deployment
    steps:
      - {id: look, name: Look at the first page, run: ./first-page.sh}
"""
FILES = {
    "0007_users": "create table users (id int)",
    "0008_task_idx": "create table tasks (id int)",
    "0009_labels": "create table labels (id int)",
}


class World:
    """One interrupted run: its directory, its database."""

    def __init__(
        self,
        directory: Path,
        database: str,
        files: int = 3,
        warm: str = "echo warming 3 of 12 regions",
    ) -> None:
        self.directory, self.database = directory, database
        self.state = directory / "state"
        self.go = directory / "go"
        (directory / "migrations").mkdir(parents=True)
        for name, statement in list(FILES.items())[:files]:
            (directory / "migrations" / f"{name}.sql").write_text(statement)
        script = directory / "warm-cache.sh"
        script.write_text(f"#!/bin/sh\n{warm}\n")
        script.chmod(0o755)
        words = RUNBOOK.format(database=database, go=self.go)
        self.file = directory / "deployment.yaml"
        self.file.write_text(words)

    def cut_off(self, *faults: str, elsewhere: bool = False) -> None:
        """Run until the faults end it."""
        argv = [sys.executable, "-m", "runbook_tui", "run", "deployment.yaml", "-e", "staging"]
        argv += ["--headless"]
        if elsewhere:
            (self.directory / "machine").write_text("0123456789abcdef0123456789abcdef\n")
            enter = 'mount --bind machine /etc/machine-id; hostname bastion-2; exec "$@"'
            argv = ["unshare", "--mount", "--uts", "sh", "-c", enter, "sh", *argv]
        env = {**os.environ, "RUNBOOK_FAULT": ",".join(faults), "RUNBOOK_OPERATOR": "lee"}
        env |= {"RUNBOOK_STATE": str(self.state), "PYTHONPATH": str(Path.cwd())}
        subprocess.run(argv, cwd=self.directory, env=env, stdin=subprocess.DEVNULL, check=False)

    @property
    def run(self) -> str:
        """The id of the run."""
        return next(path.name for path in (self.state / "runs").iterdir())

    async def resume(self, look: Look) -> None:
        """Take the run up on a screen, look, and leave; what still runs may end."""
        place = Location(self.state)
        backend = EngineBackend(place, "dana", secrets.resolve, directory=self.directory)
        backend.host = "bastion"
        app = RunbookApp(backend, ascii_only=False)
        try:
            async with app.run_test(size=SMALL[0]) as pilot:
                app.open_run(self.run)
                await until(pilot, lambda: "While you were away" in text(app), "the run")
                await look(pilot)
                self.go.touch()
                await pilot.press("escape", "escape", "q", "y")
                await until(pilot, lambda: app.return_value is not None, "leaving")
        finally:
            backend.close()


@contextmanager
def still_at_it(world: World) -> Iterator[None]:
    """Be the backend of the migration that goes on after its worker's death."""
    with psycopg.connect(world.database, application_name=f"runbook {world.run} migrate") as late:
        late.execute("create table labels (id int)")
        yield


async def away(pilot: Pilot[Any], camera: Camera) -> None:
    """What was found by looking, and what goes on."""
    await until(pilot, lambda: "found done" in text(pilot.app), "the migration found done")
    await camera.shoot("resume-away")


async def live(pilot: Pilot[Any], camera: Camera) -> None:
    """The log of a step that went on without anybody, from its first line."""
    await pilot.press("full_stop")
    await until(pilot, lambda: "indexed 1 of 40" in text(pilot.app), "the live log")
    await camera.shoot("resume-live")
    await pilot.press("d", "x", *"too slow today", "enter")
    await until(pilot, lambda: "is being stopped" in text(pilot.app) or asked(pilot), "the stop")
    await until(pilot, lambda: asked(pilot) == "failure", "the end of the stop")
    await pilot.press("d")
    await camera.shoot("resume-stopped")


async def decide(pilot: Pilot[Any], camera: Camera, kind: str, name: str) -> None:
    """A question, with the focus on its safe choice."""
    await until(pilot, lambda: asked(pilot) == kind, f"the question {kind}")
    await pilot.press("d")
    await asyncio.sleep(1)
    await camera.shoot(name)


async def changed(pilot: Pilot[Any], camera: Camera) -> None:
    """How the files differ from those that the run goes by, and what may be done about it."""
    await until(pilot, lambda: "has changed" in text(pilot.app), "the difference")
    await camera.shoot("resume-changed")


async def waits(pilot: Pilot[Any], camera: Camera) -> None:
    """Who is still at the effect of a worker that is gone."""
    await until(pilot, lambda: "Its worker is gone" in text(pilot.app), "the late backend")
    await camera.shoot("resume-still")


async def photograph(server: postgres.Server, root: Path, folder: Path) -> None:
    """Cut off, take up and photograph, one picture after the other."""

    def world(name: str, files: int = 3, **given: str) -> World:
        return World(root / name, server.create(), files, **given)

    def camera(pilot: Pilot[Any]) -> Camera:
        return Camera(pilot, folder, SMALL)

    dead = "driver.after-spawn@index:kill"
    found = world("found", files=1)
    found.cut_off("migrate.committed@migrate:kill", dead)
    await found.resume(lambda pilot: away(pilot, camera(pilot)))
    running = world("running", files=1)
    running.cut_off(dead)
    await running.resume(lambda pilot: live(pilot, camera(pilot)))
    half = world("half")
    half.go.touch()
    half.cut_off("migrate.committed@migrate:kill", dead)
    await half.resume(lambda pilot: decide(pilot, camera(pilot), "partial", "resume-partial"))
    nobody = world("nobody")
    nobody.go.touch()
    nobody.cut_off("worker.after-act@cache:kill", "driver.after-spawn@cache:kill")
    await nobody.resume(lambda pilot: decide(pilot, camera(pilot), "unknown", "resume-unknown"))
    there = world("there")
    there.go.touch()
    there.cut_off("migrate.committed@migrate:kill", dead, elsewhere=True)
    await there.resume(lambda pilot: decide(pilot, camera(pilot), "elsewhere", "resume-elsewhere"))
    late = world("late")
    late.go.touch()
    late.cut_off("worker.before-act@migrate:kill", dead)
    with still_at_it(late):
        await late.resume(lambda pilot: waits(pilot, camera(pilot)))
    failed = world("failed", warm=FAILS)
    failed.go.touch()
    failed.cut_off()
    await failed.resume(lambda pilot: decide(pilot, camera(pilot), "failure", "resume-failed"))
    asks = world("asks")
    asks.go.touch()
    asks.cut_off()
    await asks.resume(lambda pilot: decide(pilot, camera(pilot), "confirm", "resume-confirm"))
    edited = world("edited", warm=FAILS)
    edited.go.touch()
    edited.cut_off()
    words = edited.file.read_text().replace(*OTHER)
    edited.file.write_text(words.replace("contacts:\n", f"{MORE}contacts:\n"))
    await edited.resume(lambda pilot: changed(pilot, camera(pilot)))


def main() -> None:
    """Take the pictures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("COLORTERM", "truecolor")
    with postgres.running() as server, tempfile.TemporaryDirectory(prefix="resume-") as root:
        asyncio.run(photograph(server, Path(root), folder))


if __name__ == "__main__":
    main()
