"""Home and Launch by keys."""

from __future__ import annotations

from collections.abc import Callable

from runbook_tui.ui.app import RunbookApp, wants_ascii
from runbook_tui.ui.backend import BackendError, Check, Ended, HomeView
from runbook_tui.ui.screens.home import HomeScreen
from runbook_tui.ui.screens.launch import LaunchScreen
from runbook_tui.ui.screens.run import RunScreen
from tests.harness.screen import frame, shows, until
from tests.ui.conftest import Clock
from tests.ui.story import INERT, FakeBackend, Story, home_view

SameFrame = Callable[[str, str], None]


async def test_home_frame_filter_and_lists(
    backend: FakeBackend, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    backend.view = home_view()
    async with RunbookApp(backend).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "2 need you", "━ Needs you")
        same_frame("home-80x24", frame(pilot.app))
        await pilot.press("tab")
        await shows(pilot, "━ Runbooks")
        await pilot.press("j", "j")
        await shows(pilot, "━ History")
        await pilot.press("slash", *"weekly", "enter")
        await until(pilot, lambda: "1121-m3d9" not in frame(pilot.app))
        await pilot.press("slash", "escape")
        await shows(pilot, "1121-m3d9", INERT)
        await pilot.press("q")
        await until(pilot, lambda: pilot.app.return_value == 0)


async def test_first_start_says_where_runbooks_are_looked_for(
    backend: FakeBackend, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    backend.view = HomeView()
    async with RunbookApp(backend).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Nothing needs you.", "No runbooks in")
        same_frame("home-empty-80x24", frame(pilot.app))
        await pilot.press("enter", "j", "d", "y")
        assert isinstance(pilot.app.screen, HomeScreen)


async def test_a_journal_that_cannot_be_read_is_said(
    backend: FakeBackend, fixed_clock: Clock
) -> None:
    def broken() -> HomeView:
        raise BackendError("The journal is newer than this program.", "Install a newer one.")

    backend.home = broken  # type: ignore[method-assign]  # a journal of the future
    async with RunbookApp(backend).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "The journal is newer than this program.")


async def test_launch_asks_for_what_is_missing_and_starts_by_the_typed_name(
    backend: FakeBackend, story: Story, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    backend.view = home_view()
    story.migrating()
    async with RunbookApp(backend).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "2 need you")
        await pilot.press("tab", "enter")
        await shows(pilot, "choose one with", "Cannot start yet")
        await pilot.press("d", "y", "enter")
        await pilot.press("l", "tab", *"1.4")
        await shows(pilot, "must match v1.2.3", "version: must match")
        await pilot.press("home", "v", "enter")
        await shows(pilot, "Plan, probed", "all reached", "will create", "is there")
        await shows(pilot, "Start Deploy Practice Hub in production?")
        same_frame("launch-80x24", frame(pilot.app))
        await pilot.press("d", "enter", *"staging", "enter")
        await shows(pilot, "That is not PRODUCTION")
        assert backend.started == []
        await pilot.press(*["backspace"] * 7, *"production", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        await until(pilot, lambda: backend.started == [("production", {"version": "v1.4"})])
        await shows(pilot, "waits for a lock")
        backend.finish.put(Ended(0))


async def test_a_red_check_blocks_until_it_is_mended(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    backend.checks = (Check("registry", "login refused", "blocks", "docker login"),)
    async with RunbookApp(
        backend, launch=(story.directory / "d.yaml", "staging", {"version": "v1"})
    ).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "login refused", "Mend: docker login", "1 check blocks.")
        await pilot.press("d", "y")
        assert backend.started == []
        backend.checks = (Check("registry", "reached", "good"),)
        await pilot.press("tab", "enter")
        await shows(pilot, "Start Deploy Practice Hub in staging?", "all reached")
        await pilot.press("d", "enter", "d", "y")
        await until(pilot, lambda: backend.started == [("staging", {"version": "v1"})])
        backend.finish.put(Ended(0))


async def test_a_broken_runbook_is_shown_where_it_is_broken(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    backend.problem = BackendError(
        "deployment.yaml:3:7: there is no action bild", "Did you mean build?"
    )
    async with RunbookApp(backend, launch=(story.directory / "d.yaml", None, {})).run_test(
        size=(80, 24)
    ) as pilot:
        await shows(pilot, "deployment.yaml:3:7: there is no action bild", "Did you mean build?")
        await pilot.press("d", "y", "enter")
        assert isinstance(pilot.app.screen, LaunchScreen)
        assert backend.started == []


def test_ascii_is_for_terminals_that_need_it() -> None:
    assert wants_ascii({"RUNBOOK_ASCII": "1", "LANG": "C.UTF-8"})
    assert wants_ascii({"TERM": "linux", "LANG": "C.UTF-8"})
    assert wants_ascii({"LANG": "C"})
    assert not wants_ascii({"LANG": "en_GB.UTF-8", "TERM": "xterm"})
    assert not wants_ascii({"LANG": "de_DE.utf8", "RUNBOOK_ASCII": "0"})
    assert not wants_ascii({})
