"""A step that runs on hosts by itself: its table, the log of one host, how many may still fail."""

from __future__ import annotations

from pathlib import Path

from runbook_tui.definition.plan import Plan, PlanPhase
from runbook_tui.ui import failing, host_lines
from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.backend import Ended
from runbook_tui.ui.now_bar import now_bar
from runbook_tui.ui.scene import Peek, Scene
from runbook_tui.ui.screens.run import RunScreen
from state.stores import signals
from state.stores.attempt_dir import AttemptDir
from tests.harness.plans import environment, step
from tests.harness.screen import shows, until
from tests.ui.conftest import Clock
from tests.ui.story import FakeBackend, Story
from widgets.failure_panel import Failure, failure_sections
from widgets.glyphs import UNICODE
from widgets.host_table import HostLine


def patching(directory: Path, **options: object) -> Story:
    """Return a run that patches three hosts: one failed, one runs, one waits."""
    given = {"script": "apt-get upgrade", "hosts": "web", **options}
    patch = step("patch", "ssh", options=given, phase="Patches", environment="e")
    place = environment("e")
    told = Story(
        directory,
        Plan(
            runbook="Weekly",
            description="",
            file="/srv/weekly.yaml",
            environment="e",
            parameters={},
            phases=(PlanPhase("Patches", (patch,)),),
            environments={"e": place},
            sources={"weekly.yaml": b"x"},
        ),
    )
    lines = ["web-1 | Reading", "web-1 | E: locked", "web-10 | Reading", "web-1 ~ link lost"]
    told.begin("patch", lines)
    attempt = AttemptDir(told.directory / "runs" / told.run / "attempts" / "patch.1")
    for name, state, words in (
        ("web-1", "waiting", ""),
        ("web-10", "waiting", ""),
        ("web-2", "waiting", ""),
        ("web-1", "running", "connecting"),
        ("web-10", "running", "Reading"),
        ("web-1", "failed", "exit 100 E: locked"),
    ):
        signals.append_host(attempt, name, state, words)
    signals.write_progress(attempt, "batch 1/2", 0.0)
    return told


async def test_enter_on_a_host_shows_only_its_lines(tmp_path: Path, fixed_clock: Clock) -> None:
    story = patching(tmp_path, batch=2, max_failures=1)
    fixed_clock.at_end_of(story)
    backend = FakeBackend(story.directory, story)
    app = RunbookApp(backend, resume=story.run)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, story.run, "web-10 | Reading")
        await pilot.press("5")
        await shows(pilot, "3 hosts", "✗ 1", "◦ 1", "batch 1/2", "✗ web-1   exit 100 E: locked")
        await shows(pilot, "1 of at most 1 failure. At 2 no new host")
        await pilot.press("slash", *"web-10", "enter")
        await shows(pilot, "only web-10")
        await pilot.press("slash", "escape", "g", "enter")
        await shows(pilot, "web-1 | E: locked", "web-1 ~ link lost", "Only lines with  ^web-1 ")
        screen = app.screen_stack[-1]
        assert isinstance(screen, RunScreen)
        lines = screen.pane.log_pane.view.lines
        await until(pilot, lambda: lines.filter is not None and lines.filter.total == 3)
        backend.finish.put(Ended(0))
        driving = screen.driving
        assert driving is not None
        await until(pilot, lambda: not driving.alive)


async def test_a_step_over_many_hosts_opens_with_its_table(
    tmp_path: Path, fixed_clock: Clock
) -> None:
    story = patching(tmp_path, batch=2, max_failures=9)
    attempt = AttemptDir(story.directory / "runs" / story.run / "attempts" / "patch.1")
    for number in range(20, 30):
        signals.append_host(attempt, f"web-{number}", "failed", "exit 9")
    fixed_clock.at_end_of(story)
    backend = FakeBackend(story.directory, story)
    app = RunbookApp(backend, resume=story.run)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, story.run, "13 hosts", "[5 Hosts]", "/ search")
        await shows(pilot, "Patch: batch 1/2")
        await pilot.press("e", "tab")
        await shows(pilot, "enter open", "/ filter", "e next trouble")
        await pilot.press("enter")  # `e` went to the second in trouble
        await shows(pilot, "[1 Log]", "Only lines with  ^web-20 ")
        await pilot.press("5")
        await shows(pilot, "[5 Hosts]", "13 hosts")
        await pilot.press("1")
        await shows(pilot, "[1 Log]")
        backend.finish.put(Ended(0))
        screen = app.screen_stack[-1]
        assert isinstance(screen, RunScreen)
        driving = screen.driving
        assert driving is not None
        await until(pilot, lambda: not driving.alive)


def test_a_failure_on_some_hosts_shows_these_and_their_last_lines(tmp_path: Path) -> None:
    story = patching(tmp_path).end("patch", "failed", reason="exit code 100 on web-1")
    state = story.state
    assert state is not None
    hosts = tuple(
        signals.HostState(name, state, words, at=1.0)
        for name, state, words in (
            ("web-1", "failed", "exit 100 E: locked"),
            ("web-10", "done", ""),
            ("web-2", "unknown", "gone"),
        )
    )
    last = ("web-1 | E: locked", "web-10 | Reading", "web-2 ~ link lost")

    def told(*hosts: signals.HostState) -> Failure:
        scene = Scene(story.plan, state, story.at, peeks={"patch": Peek(hosts=hosts, last=last)})
        return failing.failure(scene, state.steps["patch"], None)

    found = told(*hosts)
    assert found.hosts == (("web-1", "exit 100 E: locked"), ("web-2", "gone"))
    assert found.last == ("web-1 | E: locked", "web-2 ~ link lost")
    alone = told(hosts[0])
    assert (alone.hosts, alone.last) == ((), last)
    rows = [row.plain for part in failure_sections(found, UNICODE) for row in part.lines]
    assert "✗ web-1  exit 100 E: locked" in rows


def test_the_bar_tells_of_a_lost_link_and_of_the_look_after_it(tmp_path: Path) -> None:
    story = patching(tmp_path)
    state = story.state
    assert state is not None

    def told(*states: str) -> str:
        hosts = tuple(
            signals.HostState(f"web-{number}", one, "", at=1.0)
            for number, one in enumerate(states, 1)
        )
        peek = Peek(progress="batch 2/3", hosts=hosts)
        (line, _), *_ = now_bar(Scene(story.plan, state, story.at, peeks={"patch": peek})).lines
        return line.plain.removeprefix("Patch: ")

    assert told("done", "running", "waiting") == "batch 2/3"
    assert told("running", "lost", "waiting") == "the link to web-2 is lost and tried again."
    assert told("lost", "lost") == "the links to web-1 and 1 more are lost and tried again."
    assert told("running", "unknown") == "batch 2/3"
    assert told("done", "unknown", "waiting") == "looking what became of it on web-2."


def test_what_a_killed_worker_did_not_tell_is_known_from_the_journal(tmp_path: Path) -> None:
    hosts = tuple(
        signals.HostState(f"web-{number}", state, words, 9.0, None if state == "waiting" else 1.0)
        for number, state, words in (
            (1, "done", "done in try 1"),
            (2, "running", "starting"),
            (3, "waiting", ""),
            (4, "lost", "link lost"),
        )
    )

    def told(status: str, **states: tuple[str, int | None]) -> list[tuple[str, str, object]]:
        story = patching(tmp_path / status)
        detail = {
            "hosts": {name: {"state": one, "code": code} for name, (one, code) in states.items()}
        }
        state = story.end("patch", status, detail=detail).state
        assert state is not None
        scene = Scene(story.plan, state, story.at, peeks={"patch": Peek(hosts=hosts)})
        return [(one.state, one.words, one.seconds) for one in host_lines.lines(scene, "patch")]

    known = {"web-1": ("done", 0), "web-2": ("failed", 3), "web-3": ("waiting", None)}
    assert told("failed", **known) == [
        ("done", "done in try 1", 8.0),
        ("failed", "exit 3", None),
        ("waiting", "not started", None),
        ("unknown", "not followed to its end", None),
    ]
    assert {one[0] for one in told("succeeded")} == {"done"}


def test_how_long_each_host_was_at_it(tmp_path: Path) -> None:
    story = patching(tmp_path)
    assert story.state is not None
    hosts = (
        signals.HostState("a", "done", "", at=130.0, began=100.0),
        signals.HostState("b", "waiting", "", at=100.0),
    )
    scene = Scene(story.plan, story.state, story.at, peeks={"patch": Peek(hosts=hosts)})
    assert host_lines.lines(scene, "patch") == (
        HostLine("a", "done", "done", 30.0),
        HostLine("b", "waiting", "not started", None),
    )


def test_what_may_still_fail_is_said_while_hosts_wait(tmp_path: Path) -> None:
    bad, waits = HostLine("a", "failed"), HostLine("b", "waiting")

    def said(*hosts: HostLine, **options: object) -> str:
        story = patching(tmp_path / str(len(list(tmp_path.iterdir()))), **options)
        assert story.state is not None
        scene = Scene(story.plan, story.state, story.at)
        return host_lines.note(scene, story.plan.step("patch"), hosts)

    assert said(bad, waits).startswith("1 failed, at most 0 may: no new host starts")
    assert said(bad, waits, max_failures=3).startswith("1 of at most 3 failures. At 4 no new host")
    assert said(bad, waits, parallel=True) == ""
    assert said(waits, max_failures=3) == ""
    assert said(bad, max_failures=3) == ""
