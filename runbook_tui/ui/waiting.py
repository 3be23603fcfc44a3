"""Waiting for a place that somebody else drives in: what the form says of it. Pure."""

from __future__ import annotations

from datetime import datetime

from runbook_tui.ui.backend import Driven, Standing


class Waiting:
    """One wait for one place, told once that it is over."""

    def __init__(self, by: Driven) -> None:
        self.place = by.place
        self.over = False
        self._line = self._in_use(by)

    @property
    def line(self) -> str:
        """What the form says of it."""
        return self._line

    def _in_use(self, by: Driven) -> str:
        name = by.who.partition("@")[0]
        return f"{self.place} is in use by {name} · you will be told"

    def heard(self, found: Standing, now: datetime) -> str:
        """Take what a look has found; return what to call the operator with, empty for nothing."""
        if self.over:
            return ""
        if found.by is not None:
            self._line = self._in_use(found.by)
            return ""
        self.over = True
        self._line = f"{self.place} is free since {now.astimezone().strftime('%H:%M:%S')}"
        if found.left:
            self._line = f"Nobody drives in {self.place} now. {found.left}"
            return f"nobody drives in {self.place} now, and something is unresolved"
        return f"{self.place} is free"

    def missed(self, sentence: str) -> None:
        """Say why it cannot be seen now; it is looked again."""
        if not self.over:
            self._line = f"Whether {self.place} is free cannot be seen: {sentence}"
