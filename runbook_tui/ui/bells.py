"""When an open question calls the operator."""

from __future__ import annotations

AGAIN = (120.0, 300.0, 900.0)
"""Seconds after which an unanswered question rings again."""


class Bells:
    """Once for a new question, and again after 2, 5 and 15 minutes."""

    def __init__(self) -> None:
        self._question = ""
        self._since = 0.0
        self._rung = 0

    def due(self, question: str, now: float) -> bool:
        """Tell whether to ring for this question, and take it as done."""
        if question != self._question:
            self._question, self._since, self._rung = question, now, 0
            return True
        if self._rung < len(AGAIN) and now - self._since > AGAIN[self._rung]:
            self._rung += 1
            return True
        return False
