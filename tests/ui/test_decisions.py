"""What the questions in the bar offer, from told runs."""

from __future__ import annotations

import pytest

from runbook_tui.ui import decisions
from runbook_tui.ui.failing import failure
from runbook_tui.ui.resume_summary import resume_sections
from state.json_value import Json
from tests.ui.scenes import scene
from tests.ui.story import Story


def test_another_machine_may_be_declared_dead_with_a_reason(story: Story) -> None:
    story.migrating()
    began = story.state.steps["migrate"].started_at if story.state else ""
    shown = {"host": "bastion-2", "since": began, "heard": began, "reason": "Begun there."}
    text = "Run database migrations is running on bastion-2. Is bastion-2 dead?"
    story.ask("migrate", "elsewhere", text, "dead", shown=shown)
    now = scene(story)
    asked = decisions.ask(now, now.state.questions[0])
    wait, dead = asked.choices
    assert (wait.value, wait.label) == ("", "Keep waiting: look there first")
    assert (dead.key, dead.reason) == ("y", "required")
    assert dead.label == "bastion-2 is dead: look what it did"
    assert asked.lines[0].plain.startswith("Begun there ")
    resumed = resume_sections(now, now.state, None)[0]
    assert any("goes on, on bastion" in line.plain for line in resumed.lines)


def labels(story: Story, asks: str, *choices: str, **shown: Json) -> list[str]:
    """Return key and label of each choice of a question on the migration."""
    story.migrating().end("migrate", "unknown", reason="lost")
    story.ask("migrate", asks, "What now?", *choices, shown=shown)
    now = scene(story)
    asked = decisions.ask(now, now.state.questions[0])
    return [f"{one.key} {one.label}".strip() for one in asked.choices]


def test_what_is_half_done_is_gone_on_with_or_left(story: Story) -> None:
    words = ("retry", "continue", "verified", "skip", "undo", "abort")
    found = labels(story, "partial", *words, left=["app-2"], way_back="app-1 to v1.3.2")
    assert found == [
        "Leave it so: look first",
        "r Go on: only app-2",
        "v It is right as it is, I know",
        "s Skip, with a reason",
        "u Undo it: app-1 to v1.3.2",
        "o Open a shell here",
        "a Abort: stop here, undo nothing",
    ]


def test_what_reads_its_own_record_first_says_so(story: Story) -> None:
    given: dict[str, Json] = {"left": ["app-2", "app-3"], "waiting": 1, "done": 1, "records": True}
    found = labels(story, "unknown", "retry", "abort", **given)
    assert found[-1] == "r Run it again: its record is read first"
    now = scene(story)
    asked = decisions.ask(now, now.state.questions[0])
    again = "Run it again on app-2, app-3? Where its record does not tell, it may happen twice."
    assert asked.choices[-1].again == again
    assert asked.lines[0].plain.startswith("Run again, it reads its record on the host first")


def test_where_nobody_knows_running_it_again_comes_last_and_asks_again(story: Story) -> None:
    found = labels(story, "unknown", "retry", "verified", "skip", "abort")
    assert found[0] == "Leave it so: look first"
    assert found[-1] == "r Run it again: it may happen twice"
    now = scene(story)
    asked = decisions.ask(now, now.state.questions[0])
    assert asked.choices[-1].again == "Run it again? It may then have happened twice."
    told = failure(now, now.state.steps["migrate"], None)
    assert told.unclear == ("Nothing can tell whether it ran: the step has no check.",)


def test_of_many_that_are_left_the_choice_names_the_first_and_the_line_above_all(
    story: Story,
) -> None:
    files = ["0008.sql", "0009.sql", "0010.sql", "0011.sql"]
    found = labels(story, "partial", "continue", left=files)
    assert found[1] == "r Go on: only 0008.sql and 3 more"
    now = scene(story)
    (line,) = decisions.ask(now, now.state.questions[0]).lines
    assert line.plain == "Going on does only what is not done: " + ", ".join(files) + "."


@pytest.mark.parametrize(
    ("left", "more", "label", "line"),
    [
        (
            ["web-07", "web-19"],
            {"done": 38, "waiting": 0},
            "r Run it again: only web-07, web-19",
            ["Done on 38 of 40 hosts, and not run there again."],
        ),
        (
            [f"web-{number:02}" for number in range(7, 12)],
            {"done": 35, "waiting": 4},
            "r Run it again: only web-07 and 4 more",
            ["Done on 35 of 40 hosts, and not run there again; 4 had not begun."],
        ),
        (
            ["a-host-with-a-long-name.example.org", "b"],
            {"done": 1, "waiting": 0},
            "r Run it again: only the 2 not done",
            ["Done on 1 of 3 hosts, and not run there again."],
        ),
        (["web-07"], {}, "r Run it again", []),
    ],
)
def test_after_a_failure_on_some_hosts_running_it_again_names_them(
    story: Story, left: list[Json], more: dict[str, Json], label: str, line: list[str]
) -> None:
    found = labels(story, "failure", "retry", "abort", left=left, **more)
    assert found[1] == label
    assert len(label) <= 42  # what the second column has at 80 columns
    now = scene(story)
    asked = decisions.ask(now, now.state.questions[0])
    assert [one.plain for one in asked.lines] == line


def test_an_undo_that_removes_something_may_be_left_with_a_reason(story: Story) -> None:
    words = "hub from app-1, app-2, where it was not before run 1124-k7f3"
    found = labels(
        story, "confirm", "yes", "skip", "abort", rows=[["Removes", words]], undoes="deploy"
    )
    assert found == [
        "Not yet: wait here",
        "y Take it back",
        "s Leave it, with a reason",
        "a Abort: stop here, undo nothing",
    ]
    now = scene(story)
    asked = decisions.ask(now, now.state.questions[0])
    assert asked.choices[2].reason == "required"
    told = [line.plain for line in asked.lines]
    assert "Where nothing was before, nothing takes its place." in told
