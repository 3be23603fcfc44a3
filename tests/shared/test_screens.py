"""The screens over a shared journal: what another machine drives can be read here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui import exits
from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.backend import BackendError
from runbook_tui.ui.engine_backend import EngineBackend
from runbook_tui.ui.screens.run import RunScreen
from state.stores.location import Location
from tests.harness.link import Link
from tests.harness.program import Program
from tests.harness.screen import shows

RUNBOOK = """\
runbook: Say it
phases:
  - phase: All
    steps:
      - {id: say, name: Say it, run: 'echo said on another machine'}
      - {id: look, name: Look, run: test -e light}
"""


@pytest.fixture
def run(tmp_path: Path, url: str) -> str:
    """A run that another machine has driven, and left after a failure."""
    (tmp_path / "say.yaml").write_text(RUNBOOK)
    program = Program(tmp_path / "there", tmp_path, url=url)
    program.run("run", "say.yaml", "--headless").expect(exits.FAILED)
    found: str = program.runs()[0]["run"]
    return found


@pytest.fixture
def backend(tmp_path: Path, url: str, link: Link) -> Iterator[EngineBackend]:
    """The backend of a machine with a state directory of its own, by way of a link."""
    here = Location(tmp_path / "here", link.through(url))
    backend = EngineBackend(here, "lee", lambda source: "")
    yield backend
    backend.close()


@pytest.mark.timeout(180)
async def test_the_log_of_another_machines_step_is_shown(backend: EngineBackend, run: str) -> None:
    app = RunbookApp(backend)
    async with app.run_test(size=(100, 30)) as pilot:
        app.push_screen(RunScreen(backend, None, run=run))
        await shows(pilot, "Say it")
        await pilot.press("k")
        await shows(pilot, "said on another machine")


def test_a_database_that_is_away_is_said_in_words_and_is_no_harm(
    backend: EngineBackend, run: str, link: Link
) -> None:
    assert [need.target for need in backend.home().needs] == [run]
    link.cut()
    with pytest.raises(BackendError, match="cannot be reached"):
        backend.home()
    attempt = f"runs/{run}/attempts/say.1"
    backend.bring_output(attempt)
    link.mend()
    assert [need.target for need in backend.home().needs] == [run]
    backend.bring_output(attempt)
    assert (backend.state_directory / attempt / "output.log").exists()
