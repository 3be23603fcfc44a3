"""What a run's lines and bar say, from told runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runbook_tui.ui.model import Scene, current_step, now_bar, step_lines
from state.events import QuestionAnswered, RollbackBegun, RunRolledBack, StepJudged
from state.status import StepStatus
from tests.ui.story import Story, practice_plan, step

RUNNING, FAILED = StepStatus.RUNNING, StepStatus.FAILED


def scene(story: Story) -> Scene:
    assert story.state is not None
    return Scene(story.plan, story.state, story.at)


def marks(story: Story) -> dict[str, StepStatus]:
    return {line.id: line.status for line in step_lines(scene(story))}


def one_failed(story: Story) -> str:
    """Let one of two checks fail; return the id of its question."""
    story.begin("tests").begin("types").end("types", "failed", exit_code=2, reason="exit code 2")
    story.ask("types", "failure", "Run type checking failed. What now?", "rollback", "abort")
    return str(story.records[-1].data["id"])


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


def test_the_bar_tells_what_waits_for_the_running_step(story: Story) -> None:
    question = one_failed(story)
    story.tell(QuestionAnswered(question, "rollback", "person"))
    said = [left.plain for left, _ in now_bar(scene(story)).lines]
    assert said[1:] == ["The rollback is asked when Run all tests has ended; d x stops it."]


def test_the_bar_tells_that_an_abort_waits(story: Story) -> None:
    question = one_failed(story)
    story.tell(QuestionAnswered(question, "abort", "person"))
    said = [left.plain for left, _ in now_bar(scene(story)).lines]
    assert said[1:] == ["The run ends when Run all tests has ended; d x stops it."]


def test_a_step_in_the_background_stands_behind_what_it_runs_beside(tmp_path: Path) -> None:
    plan = practice_plan()
    pre = plan.phases[0]
    soak = step("soak", "Watch the site", pre.name, "check", background=True)
    phases = (replace(pre, items=(soak, *pre.items)), *plan.phases[1:])
    told = Story(tmp_path, replace(plan, phases=phases)).begin("soak").begin("types")
    [line] = [line for line in step_lines(scene(told)) if line.id == "soak"]
    assert line.name == "Watch the site &"
    assert told.state is not None
    assert current_step(told.state, told.plan) == "types"
    first, beside = now_bar(scene(told)).lines[0]
    assert first.plain.startswith("Run type checking runs")
    assert beside.plain == "beside Watch the site"
