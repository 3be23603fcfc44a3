"""An `each` on the screen: its hosts in the checklist and in the grid, trouble first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from runbook_tui.definition.plan import Plan, PlanEnvironment, PlanHost, PlanPhase
from runbook_tui.engine import plans
from runbook_tui.ui import decisions, host_grid, instances
from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.attention import current_step
from runbook_tui.ui.backend import Ended
from runbook_tui.ui.checklist import step_lines
from runbook_tui.ui.now_bar import now_bar
from runbook_tui.ui.screens.run import RunScreen
from state.events import InstancesFixed
from state.status import StepStatus
from tests.harness.plans import each, step
from tests.harness.screen import frame, shows, until
from tests.ui.conftest import Clock
from tests.ui.scenes import scene
from tests.ui.story import FakeBackend, Story

HOSTS = tuple(f"web-{number:02}" for number in range(1, 13))
REASON = "exit code 100: Unable to lock dpkg"


def weekly() -> Plan:
    hosts = tuple(PlanHost(name, None, name) for name in HOSTS)
    place = PlanEnvironment("e", False, "e", {}, {"web": hosts}, {})
    given = {"phase": "Patches", "environment": "e"}
    steps = (
        step("leave", name="Leave the pool", **given),
        step("upgrade", name="Upgrade", **given),
    )
    head = {"name": "Update patches", "phase": "Patches", "environment": "e"}
    group = each("roll", *steps, over="host", names="web", batch="3", max_failures="1", head=head)
    after = step("report", name="Report", **given)
    return Plan(
        runbook="Weekly",
        description="",
        file="/srv/weekly.yaml",
        environment="e",
        parameters={},
        phases=(PlanPhase("Patches", (group, after)),),
        environments={"e": place},
        sources={"weekly.yaml": b"x"},
    )


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """Twelve hosts, three at a time: four done, one failed, two at it."""
    told = Story(tmp_path, weekly())
    told.tell(InstancesFixed("roll", "host", HOSTS, HOSTS, 3, 1))
    assert told.state is not None
    told.plan = plans.of(told.plan, told.state)
    for host in HOSTS[:4]:
        told.begin(f"leave@{host}").wait(2).end(f"leave@{host}")
        told.begin(f"upgrade@{host}").wait(20).end(f"upgrade@{host}")
    told.begin("leave@web-05").wait(1).end("leave@web-05")
    told.begin("upgrade@web-05", ["E: Unable to lock dpkg"]).begin("leave@web-06").wait(2)
    told.end("leave@web-06").begin("upgrade@web-06", ["Unpacking openssl"]).begin("leave@web-07")
    return told.wait(4).end("upgrade@web-05", "failed", reason=REASON, exit_code=100)


def asked(story: Story) -> Story:
    text = "Upgrade (web-05) failed. What now?"
    return story.ask("upgrade@web-05", "failure", text, "retry", "skip", "rollback", "abort")


def test_the_checklist_lists_trouble_first_and_folds_the_rest(story: Story) -> None:
    lines = step_lines(scene(story))
    hosts = [(line.name, line.status, line.right) for line in lines if line.level == 2]
    assert hosts == [
        ("web-05", StepStatus.FAILED, "0:07"),
        ("web-06", StepStatus.RUNNING, "0:06"),
        ("web-07", StepStatus.RUNNING, "0:04"),
        ("web-08 … web-12", StepStatus.PENDING, "5 to come"),
        ("web-01 … web-04", StepStatus.SUCCEEDED, "4 done"),
    ]
    [each_line] = [line for line in lines if line.id == "roll"]
    assert (each_line.count, each_line.status) == ("4/12", StepStatus.FAILED)
    inside = [line for line in lines if line.parent == "roll@web-05"]
    assert [(line.id, line.name) for line in inside] == [
        ("leave@web-05", "Leave the pool"),
        ("upgrade@web-05", "Upgrade"),
    ]
    folded = {line.id for line in lines if line.folded}
    assert {"roll@web-05", "roll:pending", "roll:succeeded"} <= folded
    assert len({line.id for line in lines}) == len(lines)


def test_few_hosts_are_all_listed(tmp_path: Path) -> None:
    told = Story(tmp_path, weekly())
    told.tell(InstancesFixed("roll", "host", HOSTS[:3], HOSTS[:3], 1, 0))
    assert told.state is not None
    told.plan = plans.of(told.plan, told.state)
    told.begin("leave@web-02")
    lines = [line.name for line in step_lines(scene(told)) if line.level == 2]
    assert lines == ["web-02", "web-01", "web-03"]


def test_before_the_list_is_fixed_the_templates_are_shown(tmp_path: Path) -> None:
    told = Story(tmp_path, weekly())
    lines = [(line.id, line.status) for line in step_lines(scene(told)) if line.level == 2]
    assert lines == [("leave", StepStatus.PENDING), ("upgrade", StepStatus.PENDING)]


def test_the_grid_says_what_each_host_does(story: Story) -> None:
    grid = host_grid.grid(scene(story), "roll")
    assert grid is not None
    assert [(one.name, one.state, one.words, one.seconds) for one in grid.lines[:4]] == [
        ("web-05", "failed", f"Upgrade: {REASON}", 7.0),
        ("web-06", "running", "Upgrade", 6.0),
        ("web-07", "running", "Leave the pool", 4.0),
        ("web-08", "waiting", "not started", None),
    ]
    assert [one.state for one in grid.lines].count("done") == 4
    assert (grid.noun, grid.right) == ("host", "3 at a time")
    assert grid.note.startswith("1 of at most 1 failure. At 2 no new host starts;")
    assert host_grid.grid(scene(story), "roll:pending") == grid
    [one] = host_grid.sections(scene(story), "roll@web-05")
    assert [line.plain for line in one.lines] == [
        "✓   0:01  Leave the pool: done",
        f"✗   0:06  Upgrade: {REASON}",
    ]
    assert host_grid.grid(scene(story), "roll@web-05") is None
    assert host_grid.grid(scene(story), "report") is None
    assert host_grid.sections(scene(story), "report") == ()
    assert host_grid.title(scene(story), "roll@web-05") == "Update patches: web-05"


def test_a_host_opens_where_it_stands(story: Story) -> None:
    assert host_grid.opened(scene(story), "roll", "web-05") == "upgrade@web-05"
    assert host_grid.opened(scene(story), "roll", "web-01") == "upgrade@web-01"
    assert host_grid.opened(scene(story), "report", "web-01") is None


def test_many_that_run_are_not_all_named(story: Story) -> None:
    story.end("leave@web-07").begin("upgrade@web-07").begin("leave@web-08").begin("leave@web-09")
    told = now_bar(scene(story)).lines[0][0].plain
    assert told == "Upgrade (web-06), Upgrade (web-07) and 2 more run at once."


def test_with_several_hosts_at_it_the_group_is_what_matters(story: Story) -> None:
    state = scene(story).state
    [group] = story.plan.groups()
    assert (instances.failed(group, state), instances.may_go_on(group, state)) == (1, True)
    assert current_step(state, story.plan) == "roll"


@asynccontextmanager
async def on_screen(story: Story, size: tuple[int, int]) -> AsyncIterator[Pilot[int]]:
    backend = FakeBackend(story.directory, story)
    app = RunbookApp(backend, resume=story.run)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, story.run, "d decide")
        yield pilot
        backend.finish.put(Ended(0))
        screen = app.screen_stack[-1]
        if isinstance(screen, RunScreen) and screen.driving is not None:
            driving = screen.driving
            await until(pilot, lambda: not driving.alive)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])
async def test_frames(
    story: Story,
    fixed_clock: Clock,
    same_frame: Callable[[str, str], None],
    size: tuple[int, int],
) -> None:
    fixed_clock.at_end_of(story)
    async with on_screen(story, size) as pilot:
        await shows(pilot, "12 hosts", "web-08 … web-12   5 not started", "Unable t", "Unpacking")
        same_frame(f"hosts-{size[0]}x{size[1]}", frame(pilot.app))


async def test_enter_on_a_host_shows_its_log_and_decides_nothing(
    story: Story, fixed_clock: Clock
) -> None:
    fixed_clock.at_end_of(story)
    async with on_screen(story, (80, 24)) as pilot:
        await shows(pilot, "12 hosts", "sorted: trouble first", "[5 Hosts]")
        await pilot.press("1")
        await shows(pilot, "12 hosts", "[5 Hosts]")
        await pilot.press("right_square_bracket")
        await shows(pilot, "[2 Plan]")
        await pilot.press("5", "tab", "j", "enter")
        await shows(pilot, "━ Upgrade (web-06)", "Unpacking openssl")


async def test_a_failed_host_is_shown_with_its_question_and_the_others_go_on(
    story: Story, fixed_clock: Clock
) -> None:
    asked(story)
    fixed_clock.at_end_of(story)
    async with on_screen(story, (80, 24)) as pilot:
        await shows(pilot, "Upgrade (web-05) failed", "Leave the pool", REASON)
        await shows(pilot, "So do the other hosts: 1 of", "at most 1 failure.")
        await shows(pilot, "r Run it again: only web-05")


def test_the_hosts_that_wait_for_the_decision_are_named(tmp_path: Path) -> None:
    told = Story(tmp_path, weekly())
    told.tell(InstancesFixed("roll", "host", HOSTS[:3], HOSTS[:3], 1, 0))
    assert told.state is not None
    told.plan = plans.of(told.plan, told.state)
    told.begin("leave@web-01").end("leave@web-01", "failed", reason=REASON)
    told.ask("leave@web-01", "failure", "What now?", "retry", "abort")
    now = scene(told)
    [line] = decisions.ask(now, now.state.questions[0]).lines
    assert line.plain == "web-02 … web-03 have not begun, and do not before you have decided."


def test_what_nobody_knows_is_run_again_only_where_it_is_unknown(story: Story) -> None:
    story.ask("upgrade@web-05", "unknown", "What now?", "retry", "abort")
    now = scene(story)
    again = decisions.ask(now, now.state.questions[0]).choices[-1].again
    assert again == "Run it again on web-05? It may then have happened twice."
