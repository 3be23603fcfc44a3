"""What the lines of the checklist say, from told runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runbook_tui.ui.attention import current_step
from runbook_tui.ui.checklist import step_lines
from runbook_tui.ui.now_bar import now_bar
from state.events import QuestionAnswered, RollbackBegun, RunRolledBack, StepJudged
from state.status import StepStatus
from tests.definition.builders import planned
from tests.ui.scenes import one_failed, scene
from tests.ui.story import Story, practice_plan, step

RUNNING, FAILED = StepStatus.RUNNING, StepStatus.FAILED


def marks(story: Story) -> dict[str, StepStatus]:
    return {line.id: line.status for line in step_lines(scene(story))}


def test_a_group_and_its_phase_show_the_worst_child(story: Story) -> None:
    story.begin("tests").begin("types").end("types")
    assert marks(story)["checks"] is RUNNING
    story.end("tests")
    assert marks(story)["checks"] is RUNNING  # not judged yet
    story.tell(StepJudged("checks", "succeeded"))
    assert marks(story)["checks"] is StepStatus.SUCCEEDED


def test_a_failed_child_shows_while_its_neighbour_runs(story: Story) -> None:
    one_failed(story)
    found = marks(story)
    assert [found[id_] for id_ in ("phase:Pre-deployment", "checks", "types", "tests")] == [
        FAILED,
        FAILED,
        FAILED,
        RUNNING,
    ]


def test_nothing_runs_in_a_run_that_is_over(story: Story) -> None:
    question = one_failed(story)
    story.end("tests").tell(QuestionAnswered(question, "rollback", "person"))
    story.tell(RollbackBegun("1124-k7f3-back")).tell(RunRolledBack("1124-k7f3-back", ("tests",)))
    assert RUNNING not in marks(story).values()


def test_a_step_in_the_background_stands_behind_what_it_runs_beside(tmp_path: Path) -> None:
    plan = practice_plan()
    pre = plan.phases[0]
    soak = step("soak", "Watch the site", pre.name, "check", background=True)
    phases = (replace(pre, items=(soak, *pre.items)), *plan.phases[1:])
    told = Story(tmp_path, replace(plan, phases=phases)).begin("soak").begin("types")
    [line] = [line for line in step_lines(scene(told)) if line.id == "soak"]
    assert line.name == "& Watch the site"
    assert told.state is not None
    assert current_step(told.state, told.plan) == "types"
    first, beside = now_bar(scene(told)).lines[0]
    assert first.plain.startswith("Run type checking runs")
    assert beside.plain == "beside Watch the site"


def test_the_steps_of_an_include_stand_below_its_line(tmp_path: Path) -> None:
    """Groups and includes inside it are a level deeper again."""
    steps = """
    - {id: a, run: echo}
    - {id: outer, name: Outer, include: outer.yaml}
    """
    outer = """
    runbook: Outer
    phases:
      - phase: P
        steps:
          - {id: inner, include: inner.yaml}
          - {id: both, parallel: [{id: x, run: echo}, {id: y, run: echo}]}
    """
    inner = "runbook: Inner\nphases: [{phase: P, steps: [{id: deep, run: echo}]}]"
    story = Story(tmp_path, planned(steps, outer=outer, inner=inner))
    lines = [(line.id, line.level, line.parent, line.count) for line in step_lines(scene(story))]
    phase = "phase:Only"
    assert lines == [
        (phase, 0, None, "0/2"),
        ("a", 1, phase, ""),
        ("outer", 1, phase, "0/2"),
        ("outer/inner", 2, "outer", "0/1"),
        ("outer/inner/deep", 3, "outer/inner", ""),
        ("outer/both", 2, "outer", "0/2"),
        ("outer/x", 3, "outer/both", ""),
        ("outer/y", 3, "outer/both", ""),
    ]
    story.begin("outer/inner/deep")
    found = marks(story)
    running = {id_ for id_, status in found.items() if status is RUNNING}
    assert running == {phase, "outer", "outer/inner", "outer/inner/deep"}
