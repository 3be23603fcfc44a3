"""Pictures of the real program: the practice production is deployed, and photographed on the way.

`python scripts/screenshots.py docs/images` brings a sandbox of its own up, drives its deployment by
keys, lets one migration fail, mends it, and writes each moment as PNG at 80x24 and 160x45.
Needs what the sandbox needs, and rsvg-convert.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
from textual.pilot import Pilot

from runbook_tui import secrets
from runbook_tui.sandbox import practice
from runbook_tui.sandbox.releases import next_release
from runbook_tui.sandbox.site import Site
from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.engine_backend import EngineBackend
from runbook_tui.ui.screens.run import RunScreen
from state.run_state import RunState
from state.status import StepStatus
from state.stores.location import Location

SIZES = ((80, 24), (160, 45))
DEADLINE = 300.0
"""Seconds that any step of the deployment may take."""

Condition = Callable[[], object]


async def until(pilot: Pilot[Any], condition: Condition, what: str) -> None:
    """Wait for something on the screen."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {DEADLINE:.0f} s: {what}")
        await asyncio.sleep(0.1)
    await pilot.pause()


class Camera:
    """Writes what is on the screen, at each size."""

    def __init__(
        self, pilot: Pilot[Any], folder: Path, sizes: Sequence[tuple[int, int]] = SIZES
    ) -> None:
        self._pilot = pilot
        self._folder = folder
        self._sizes = sizes

    async def shoot(self, name: str) -> None:
        """Write `name-80x24.png` and so on."""
        for width, height in self._sizes:
            await self._pilot.resize_terminal(width, height)
            await asyncio.sleep(0.5)
            await self._pilot.pause()
            svg = self._pilot.app.export_screenshot(title="runbook")
            svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
            file = self._folder / f"{name}-{width}x{height}.png"
            command = ["rsvg-convert", "--zoom", "1.4", "--output", str(file)]
            subprocess.run(command, input=svg.encode(), check=True)
            print(file, flush=True)


def shown(pilot: Pilot[Any]) -> RunState | None:
    """Return the run on the screen."""
    screen = pilot.app.screen
    return screen.state if isinstance(screen, RunScreen) else None


def status(pilot: Pilot[Any], step: str) -> StepStatus | None:
    """Return how a step of the run on the screen stands."""
    state = shown(pilot)
    return state.steps[step].status if state is not None else None


def asked(pilot: Pilot[Any]) -> str:
    """Return the kind of the open question, or nothing."""
    state = shown(pilot)
    return state.questions[0].asks if state is not None and state.questions else ""


async def answer(pilot: Pilot[Any]) -> None:
    """Answer the open question as a person would who agrees."""
    kind = asked(pilot)
    state = shown(pilot)
    before = state.questions[0].id if state is not None else ""
    await pilot.press("d")
    await asyncio.sleep(0.5)
    if kind == "manual":
        screen = pilot.app.screen
        fields = len(list(screen.query("EvidenceForm Field")))
        for _ in range(fields):
            await pilot.press(*"looked at it", "tab")
        await pilot.press("y")
    elif kind == "typed":
        await pilot.press(*"sandbox", "enter")
    elif kind == "failure":
        await pilot.press("r")
    else:
        await pilot.press("y")

    def gone() -> bool:
        now = shown(pilot)
        return now is not None and now.question(before) is None

    await until(pilot, gone, f"the answer to a question of kind {kind}")


async def go_on(pilot: Pilot[Any], there: Condition, what: str) -> None:
    """Answer questions until `there`."""
    deadline = time.monotonic() + DEADLINE
    while not there():
        if asked(pilot):
            await answer(pilot)
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {DEADLINE:.0f} s: {what}")
        await asyncio.sleep(0.1)


def close_database(site: Site, *, closed: bool) -> None:
    """Have the production database refuse everybody but its administrator, or not."""
    limit = 0 if closed else -1
    with psycopg.connect(site.database_url("practice_hub_staging"), autocommit=True) as link:
        link.execute(f"ALTER DATABASE practice_hub CONNECTION LIMIT {limit}".encode())


async def photograph(site: Site, backend: EngineBackend, folder: Path) -> None:
    """Deploy, and take the pictures."""
    file, given = site.runbooks / "deployment.yaml", {"version": next_release(site)}
    app = RunbookApp(backend, ascii_only=False)
    async with app.run_test(size=SIZES[1]) as pilot:
        camera = Camera(pilot, folder)
        app.open_launch(file, "sandbox", given)
        await until(pilot, lambda: "Preflight" in text(app) and "good" in text(app), "preflight")
        await camera.shoot("launch")
        await pilot.press("d", "y")
        await until(pilot, lambda: status(pilot, "build") is not None, "the run")
        pulled = lambda: status(pilot, "staging") and "Pull complete" in text(app)  # noqa: E731
        await go_on(pilot, pulled, "the deployment to staging")
        await camera.shoot("run")
        asks_migrate = lambda: asked(pilot) == "confirm"  # noqa: E731
        await go_on(pilot, asks_migrate, "the migration of production")
        close_database(site, closed=True)
        await answer(pilot)
        await until(pilot, lambda: asked(pilot) == "failure", "the failed migration")
        await pilot.press("d")
        await asyncio.sleep(1)
        await camera.shoot("failure")
        await pilot.press("escape")
        close_database(site, closed=False)
        await go_on(pilot, lambda: asked(pilot) == "typed", "the deployment to production")
        await pilot.press("d")
        await camera.shoot("question")
        await pilot.press("escape", "q", "y")
        await until(pilot, lambda: app.return_value is not None, "leaving")
    home = RunbookApp(backend, ascii_only=False)
    async with home.run_test(size=SIZES[1]) as pilot:
        await until(pilot, lambda: "needs you" in text(home), "Home")
        await Camera(pilot, folder).shoot("home")


def text(app: RunbookApp) -> str:
    """Return what is on the screen."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def main() -> None:
    """Bring a sandbox up, take the pictures, and take it down again."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("COLORTERM", "truecolor")
    with tempfile.TemporaryDirectory(prefix="runbook-screens-") as place:
        directory = Path(place) / "sandbox"
        site = practice.up(directory, lambda line: print(line, flush=True))
        backend = EngineBackend(
            Location(Path(place) / "state"),
            "dana",
            secrets.resolve,
            folders={site.runbooks: site.work},
            directory=site.work,
        )
        backend.host = "bastion"
        try:
            asyncio.run(photograph(site, backend, folder))
        finally:
            backend.close()
            practice.down(directory, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
