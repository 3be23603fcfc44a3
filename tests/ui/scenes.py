"""Pictures of told runs."""

from __future__ import annotations

from runbook_tui.ui.scene import Scene
from tests.ui.story import Story


def scene(story: Story) -> Scene:
    """Return what the screen is made from, as the story stands."""
    assert story.state is not None
    return Scene(story.plan, story.state, story.at)


def one_failed(story: Story) -> str:
    """Let one of two checks fail; return the id of its question."""
    story.begin("tests").begin("types").end("types", "failed", exit_code=2, reason="exit code 2")
    story.ask("types", "failure", "Run type checking failed. What now?", "rollback", "abort")
    return str(story.records[-1].data["id"])
