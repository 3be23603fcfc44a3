"""Moments of a run that are told to the Run screen, and that screen itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.backend import Ended
from runbook_tui.ui.screens.run import RunScreen
from state.events import QuestionAnswered
from state.json_value import Json
from state.stores.attempt_dir import AttemptDir
from tests.harness.screen import shows, until
from tests.ui.story import FakeBackend, Story

SameFrame = Callable[[str, str], None]

FAILURE = ("retry", "verified", "skip", "undo", "rollback", "abort")

REASON = "Migration 0008_task_idx.sql: lock timeout, 5:00, twice; pid 4121 held it."

SMALL, LARGE = (80, 24), (160, 45)


@asynccontextmanager
async def on_screen(
    backend: FakeBackend, size: tuple[int, int] = SMALL, *, ascii_only: bool = False
) -> AsyncIterator[Pilot[int]]:
    """The Run screen of the backend's story, driven."""
    assert backend.story is not None
    app = RunbookApp(backend, resume=backend.story.run, ascii_only=ascii_only)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, backend.story.run, "d decide")
        yield pilot
        backend.finish.put(Ended(0))
        screen = app.screen_stack[-1]
        if isinstance(screen, RunScreen) and screen.driving is not None:
            driving = screen.driving
            await until(pilot, lambda: not driving.alive)


def failed(story: Story) -> Story:
    """A migration that failed, and its question."""
    story.migrating("0008_task_idx.sql   try 2", "ERROR: canceling statement due to lock timeout")
    story.end("migrate", "failed", reason=REASON, exit_code=1)
    text = "Run database migrations failed. What now?"
    return story.ask("migrate", "failure", text, *FAILURE)


def typed(story: Story) -> Story:
    """A deployment whose environment must be typed."""
    story.migrating().end("migrate", proof="machine")
    shown = {"rows": [["Replaces", "v1.3.2 with v1.4.0 on app-1, then app-2"]]}
    text = "Deploy to production: begin in production?"
    return story.ask(
        "deploy", "typed", text, "yes", "skip", "rollback", "abort", typed="production", shown=shown
    )


def manual(story: Story) -> Story:
    """A review that a person records."""
    story.begin("tests").begin("types").wait(31).end("types").wait(99).end("tests")
    shown = {
        "text": "Read every commit since v1.3.2.",
        "choices": {"done": {"label": "Done", "then": "next", "reason": "none"}},
        "record": {
            "seen": {"prompt": "What you checked", "pattern": None, "optional": False},
            "link": {"prompt": "Link", "pattern": r"^https://\S+$", "optional": True},
        },
    }
    text = "Review recent code changes: done?"
    return story.ask("review", "manual", text, "done", "skip", "rollback", "abort", shown=shown)


def ask_rollback(story: Story) -> Story:
    """The plan of a rollback, to be confirmed by the environment's name."""
    shown = {
        "undone": [["migrate", "0009, 0008 by down files"], ["tag", "delete v1.4.0 at origin"]],
        "steps": [["restore", "Return to the previous version"]],
        "stays": [["tests", "has no effect"]],
        "cannot": [["announce", "it was sent"]],
        "run": "1124-k7f3-back",
    }
    return story.ask(
        None, "rollback", "Roll back production?", "rollback", typed="production", shown=shown
    )


def parallel(story: Story) -> Story:
    """Two checks at once, one of them failed."""
    story.begin("tests", ["412 passed", "3 skipped"]).begin("types", ["error TS2322", "1 error"])
    story.wait(31).end("types", "failed", exit_code=2, reason="exit code 2")
    return story.ask("types", "failure", "Run type checking failed. What now?", *FAILURE)


def half_done(story: Story) -> Story:
    """A deployment whose worker died between two hosts; the way back of the step is known."""
    typed(story)
    question = str(story.records[-1].data["id"])
    story.tell(QuestionAnswered(question, "yes", "person", fields={"typed": "production"}))
    story.begin("deploy", ["app-1: requests go to hub-8002"]).wait(78)
    looked: dict[str, Json] = {
        "found": ["app-1: v1.4.0 sha256:9c1e…, in service"],
        "missing": ["app-2: v1.3.2 sha256:77ab…"],
        "unclear": ["whether users of app-2 were being drained"],
        "left": ["app-2"],
    }
    reason = "Its worker died: it left no result."
    story.end("deploy", "unknown", reason=reason, verdict="partial", effect="partial")
    text = "Deploy to production is partly done. What now?"
    choices = ("retry", "continue", "verified", "skip", "undo", "rollback", "abort")
    shown = {**looked, "way_back": "app-1 to v1.3.2"}
    return story.ask("deploy", "partial", text, *choices, shown=shown)


def nobody_knows(story: Story) -> Story:
    """A step without a check whose worker died."""
    story.migrating().end("migrate", "unknown", reason="Its worker died: it left no result.")
    text = "Run database migrations has an outcome that nobody knows. What now?"
    return story.ask("migrate", "unknown", text, *FAILURE)


def monitoring(story: Story) -> Story:
    """A monitor with samples over its limit."""
    typed(story)
    question = str(story.records[-1].data["id"])
    story.tell(QuestionAnswered(question, "yes", "person", fields={"typed": "production"}))
    story.begin("deploy", ["healthy"]).wait(242).end("deploy", proof="machine")
    story.begin("monitor", ["p95 548 ms over the limit (1 of 3)"]).wait(120)
    last = story.state
    assert last is not None
    attempt = last.steps["monitor"].attempts[-1]
    samples = AttemptDir(story.directory / attempt.directory).samples
    start = story.at.timestamp() - 120
    samples.write_text(
        "".join(json.dumps(_sample(start + n, 300 + n * 5)) + "\n" for n in range(30))
    )
    return story


def _sample(at: float, p95: float) -> dict[str, object]:
    over = {"over": 2, "of": 3, "max": 400, "min": None}
    return {
        "at": at,
        "figures": {"p95": p95, "cpu": {"app-1": 61.0, "app-2": 58.0}},
        "units": {"p95": "ms", "cpu": "%"},
        "limits": {"p95": over},
    }
