"""What the tabs and the bar say of a step, from told runs."""

from __future__ import annotations

from collections.abc import Mapping

from runbook_tui.ui import decisions, panes
from runbook_tui.ui.model import Scene
from runbook_tui.ui.side import side_sections
from state.events import QuestionAnswered, StepJudged
from state.json_value import Json
from tests.ui.story import Story

DIGEST = "127.0.0.1:5000/practice-hub@sha256:" + "fd08" * 16


def scene(story: Story) -> Scene:
    assert story.state is not None
    return Scene(story.plan, story.state, story.at)


def asked_to_deploy(story: Story) -> Scene:
    rows = [["Image", DIGEST], ["To app", "one after the other"], ["Switched by", "proxy"]]
    shown = {"rows": rows, "no_return": "users see it"}
    story.migrating().end("migrate", proof="machine")
    story.ask("deploy", "typed", "Deploy?", "yes", typed="production", shown=shown)
    return scene(story)


def test_digests_are_short_in_the_bar_and_whole_in_the_plan(story: Story) -> None:
    now = asked_to_deploy(story)
    asked = decisions.ask(now, now.state.questions[0])
    assert [row.plain.split()[0] for row in asked.rows] == ["Image", "To", "Switched"]
    assert asked.rows[0].plain.endswith("@sha256:fd08fd08fd08…")
    assert [line.plain for line in asked.lines] == ["No way back: users see it"]
    plan = panes.plan_sections(now, story.plan.step("deploy"), ())
    assert any(line.plain.endswith(DIGEST) for line in plan[0].lines)


def test_what_a_person_recorded_is_said_once(story: Story) -> None:
    story.ask("review", "manual", "Review recent code changes: done?", "done", "skip")
    question = str(story.records[-1].data["id"])
    story.tell(QuestionAnswered(question, "done", "person", fields={"seen": "looked at it"}))
    evidence: list[Mapping[str, Json]] = [
        {"kind": "record", "summary": "seen: looked at it", "data": {"seen": "looked at it"}}
    ]
    story.tell(
        StepJudged(
            "review",
            "succeeded",
            proof="person",
            outputs={"choice": "done", "seen": "looked at it"},
            evidence=tuple(evidence),
        )
    )
    (section,) = panes.evidence_sections(scene(story).state.steps["review"])
    said = [line.plain.split() for line in section.lines]
    assert said == [["choice", "done"], ["seen", "looked", "at", "it"]]


def test_the_side_counts_evidence_only(story: Story) -> None:
    now = asked_to_deploy(story)
    sections = side_sections(now, story.plan.step("deploy"), ())
    evidence = next(one for one in sections if one.title.plain == "Evidence so far")
    assert (evidence.right, evidence.lines[0].plain) == ("", "No evidence yet.")


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
    resumed = panes.resume_sections(now, now.state, None)[0]
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


def test_where_nobody_knows_running_it_again_comes_last_and_asks_again(story: Story) -> None:
    found = labels(story, "unknown", "retry", "verified", "skip", "abort")
    assert found[0] == "Leave it so: look first"
    assert found[-1] == "r Run it again: it may happen twice"
    now = scene(story)
    asked = decisions.ask(now, now.state.questions[0])
    assert asked.choices[-1].again == "Run it again? It may then have happened twice."
    told = panes.failure(now, now.state.steps["migrate"], None)
    assert told.unclear == ("Nothing can tell whether it ran: the step has no check.",)


def test_many_that_are_left_are_counted_in_the_choice_and_named_above(story: Story) -> None:
    found = labels(story, "partial", "continue", left=["0008.sql", "0009.sql"])
    assert found[1] == "r Go on: only the 2 that are missing"
    now = scene(story)
    (line,) = decisions.ask(now, now.state.questions[0]).lines
    assert line.plain == "Going on does only what is not done: 0008.sql, 0009.sql."
