"""The real program behind the screens: a small runbook started, failed, mended, rolled back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runbook_tui import exits
from runbook_tui.definition.plan import SecretSource
from runbook_tui.engine.ports import Command, Leave
from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.backend import BackendError, Ended, Standing
from runbook_tui.ui.engine_backend import EngineBackend
from runbook_tui.ui.screens.run import RunScreen
from state.events import RunLeft
from state.kept import Kept
from state.status import StepStatus
from state.stores.location import Location
from tests.harness.records import chained, started
from tests.harness.screen import shows, until
from tests.harness.stage import ScriptedOperator

RUNBOOK = """\
runbook: Move the switch
cadence: daily
description: On, looked at, and off again.
environments: {shop: {protected: true, vars: {file: switch}}}
parameters: {word: {pattern: '[a-z]+'}, token: {secret: true}}
phases:
  - phase: All
    steps:
      - id: set
        name: Set the switch
        run: echo "${{ word }}" > "${{ env.file }}"
        verify: {run: 'test -e "${{ env.file }}"', absent: 1}
        undo: {run: 'rm "${{ env.file }}"'}
      - {id: look, name: Look at the light, run: test -e light}
"""


@pytest.fixture
def runbooks(tmp_path: Path) -> Path:
    """A folder of runbooks: one that is right and one that is not."""
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "switch.yaml").write_text(RUNBOOK)
    (folder / "torn.yaml").write_text("runbook: Torn\nphases: 3\n")
    (folder / "notes.yaml").write_text("just: notes\n")
    return folder


@pytest.fixture
def live(tmp_path: Path, runbooks: Path) -> Iterator[EngineBackend]:
    """The backend, with runs that are called in a directory of their own."""
    (tmp_path / "place").mkdir()

    def read(source: SecretSource) -> str:
        return source.value

    folders = {runbooks: tmp_path / "place"}
    backend = EngineBackend(Location(tmp_path / "state"), "dana", read, folders=folders)
    yield backend
    backend.close()


def test_a_run_from_home_to_home(live: EngineBackend, runbooks: Path, tmp_path: Path) -> None:
    file = runbooks / "switch.yaml"
    view = live.home()
    assert (view.needs, view.history) == ((), ())
    torn = next(entry for entry in view.runbooks if entry.title == "torn.yaml")
    assert "line 2" in torn.words
    assert [entry.when for entry in view.runbooks if entry is not torn] == ["never run"]

    draft = live.draft(file, None, {"word": "on"})
    assert (draft.steps, draft.environments) == (2, (("shop", True),))
    word, token = draft.wanted
    assert (word.value, word.check("on"), token.secret) == ("on", "", True)
    assert word.check("ON") != ""

    given = {"word": "on", "token": "hunter22"}
    found = live.look(file, "shop", given)
    assert [(one.will, one.there) for one in found] == [("will run", False)] * 2
    assert [check.level for check in live.preflight(file, "shop", given)] == ["good"]

    operator = ScriptedOperator({"start": ["yes"]})
    ended = live.start(file, "shop", given, operator)
    assert ended.code == exits.FAILED
    assert (tmp_path / "place" / "switch").read_text() == "on\n"
    assert live.look(file, "shop", given)[0].there

    (need,) = live.home().needs
    assert (need.target, need.status) == (ended.run, StepStatus.FAILED)
    live.note(ended.run, "look", "bulb changed")
    recorded = live.recorded(ended.run)
    assert not recorded.alive
    assert recorded.state.steps["look"].notes[0].text == "bulb changed"
    assert live.describe(recorded.plan.step("set"))

    (tmp_path / "place" / "light").touch()
    other = EngineBackend(live.location, "lee", lambda source: "", given=given)
    stranger = EngineBackend(live.location, "lee", lambda source: "")
    try:
        assert stranger.recorded(ended.run).state == recorded.state
        with pytest.raises(BackendError, match="token"):
            stranger.resume(ended.run, ScriptedOperator())
        again = other.resume(ended.run, ScriptedOperator({"look": ["retry"]}))
        assert (again.code, again.run) == (exits.DONE, ended.run)
        back = other.roll_back(ended.run, "drill", ScriptedOperator({"rollback": ["rollback"]}))
        assert back.code == exits.ROLLED_BACK
        linked = other.recorded(back.run)
        assert [step.id for step in linked.plan.steps()] == list(linked.state.steps)
    finally:
        other.close()
        stranger.close()
    assert not (tmp_path / "place" / "switch").exists()
    assert [entry.target for entry in live.home().history] == [back.run, ended.run]


def test_problems_are_sentences(live: EngineBackend, runbooks: Path, tmp_path: Path) -> None:
    file = runbooks / "switch.yaml"
    with pytest.raises(BackendError, match=r"torn\.yaml:2:9: "):
        live.draft(runbooks / "torn.yaml", None, {})
    with pytest.raises(BackendError, match="There is no environment mars"):
        live.draft(file, "mars", {})
    with pytest.raises(BackendError, match="word"):
        live.look(file, "shop", {})
    with pytest.raises(BackendError, match="none"):
        live.draft(runbooks / "none.yaml", None, {})
    with pytest.raises(BackendError, match="no run 1123-k7f3") as missing:
        live.recorded("1123-k7f3")
    assert missing.value.advice.endswith(".")
    (tmp_path / "state").rename(tmp_path / "kept")
    (tmp_path / "state").touch()
    with pytest.raises(BackendError):
        live.home()


def test_another_machines_history_needs_nobody(live: EngineBackend) -> None:
    records = chained([started("a"), RunLeft("closed the screen")], run="1123-k7f3")
    with live.location.open() as store:
        assert store.keeper is not None
        store.keeper.adopt([Kept("1123-k7f3", records, {}, "imported from out.tar.gz")])
    view = live.home()
    assert "1123-k7f3" not in [entry.target for entry in view.needs]
    assert [entry.target for entry in view.history] == ["1123-k7f3"]


def test_a_record_that_is_not_intact_hides_no_other(live: EngineBackend, runbooks: Path) -> None:
    file = runbooks / "switch.yaml"
    given = {"word": "on", "token": "hunter22"}
    runs = [
        live.start(file, "shop", given, ScriptedOperator({"start": ["abort"]})).run
        for _ in range(2)
    ]
    with closing(sqlite3.connect(live.state_directory / "journal.db")) as connection, connection:
        connection.execute("update events set kind = 'nonsense' where run = ?", (runs[0],))
    view = live.home()
    assert [entry.target for entry in view.history] == [runs[1]]
    assert [(entry.target, entry.words) for entry in view.needs] == [(runs[0], "record not intact")]


async def test_a_run_by_keys(live: EngineBackend, runbooks: Path, tmp_path: Path) -> None:
    """From Launch over a failure and its mending to the end, on the real engine."""
    app = RunbookApp(
        live, launch=(runbooks / "switch.yaml", "shop", {"word": "on", "token": "hunter22"})
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Start Move the switch in shop?")
        await pilot.press("d", *"shop", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await shows(pilot, "Look at the light failed. What now?")
        (tmp_path / "place" / "light").touch()
        await pilot.press("d", "r")
        await shows(pilot, "Succeeded")
        await pilot.press("q")
        await until(pilot, lambda: app.return_value == exits.DONE)
    assert live.home().needs == ()


def test_a_place_in_use_is_looked_at_until_it_is_free(
    live: EngineBackend, runbooks: Path, tmp_path: Path
) -> None:
    file, given = runbooks / "switch.yaml", {"word": "on", "token": "t"}
    place = live.location.directory
    operator = ScriptedOperator({"start": ["yes"]}, person=True)
    refused: list[Ended] = []
    stands: list[Standing] = []

    def look() -> Command:
        """Somebody else, meanwhile, on the same machine."""
        other = EngineBackend(Location(place), "lee", lambda source: "")
        stands.append(other.standing("shop"))
        refused.append(other.start(file, "shop", given, ScriptedOperator(person=True)))
        other.close()
        return Leave("enough")

    operator.when(lambda state: bool(state.questions), look)
    assert live.standing("shop") == Standing(None)
    assert live.start(file, "shop", given, operator).code == exits.WAITS
    [found], [ended] = stands, refused
    assert found.by is not None
    assert (found.by.who.partition("@")[0], found.by.place) == ("dana", "shop")
    assert ended.by is not None
    assert (ended.code, ended.by.runbook) == (exits.IN_USE, "Move the switch")
    assert ended.by.step.endswith("of 2")
    assert live.standing("shop") == Standing(None)
