"""What the tabs of a step and the side say, from told runs."""

from __future__ import annotations

from collections.abc import Mapping

from runbook_tui.ui import decisions, panes
from runbook_tui.ui.scene import Scene
from runbook_tui.ui.side import side_sections
from state.events import QuestionAnswered, StepJudged
from state.json_value import Json
from tests.ui.scenes import scene
from tests.ui.story import Story

DIGEST = "127.0.0.1:5000/practice-hub@sha256:" + "fd08" * 16


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
