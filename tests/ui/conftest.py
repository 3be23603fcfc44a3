"""Screens of a told run at a fixed time, and frames compared as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from runbook_tui.ui import clock
from tests.ui.story import BEGAN, FakeBackend, Story

SNAPSHOTS = Path(__file__).parent.parent / "snapshots"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--snapshot-update", action="store_true", help="write the frames instead of comparing them"
    )


class Clock:
    """The time that the screens see."""

    def __init__(self) -> None:
        self.now: datetime = BEGAN + timedelta(minutes=5)

    def at_end_of(self, story: Story) -> None:
        """Let it be when the last event of the story was."""
        self.now = story.at


@pytest.fixture
def fixed_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands still until it is set."""
    kept = Clock()
    monkeypatch.setattr(clock, "now_utc", lambda: kept.now)
    return kept


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """A run that has just begun."""
    return Story(tmp_path)


@pytest.fixture
def backend(tmp_path: Path, story: Story) -> FakeBackend:
    """The rest of the program, driving that run."""
    return FakeBackend(tmp_path, story)


@pytest.fixture
def same_frame(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a frame with the kept one of that name; `--snapshot-update` keeps it instead."""

    def compare(name: str, shown: str) -> None:
        kept = SNAPSHOTS / f"{name}.txt"
        if request.config.getoption("--snapshot-update"):
            kept.write_text(shown + "\n", encoding="utf-8")
        assert shown + "\n" == kept.read_text(encoding="utf-8"), f"{name} looks different"

    return compare
