"""Waiting for a store that is away: visibly, with growing pauses, as long as the operator stays.

Workers go on meanwhile and keep their outcome in their directories. What was under way when the
store went is found out by reading it again (see `recorder`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from runbook_tui.engine.ports import Answer, Command, Leave, Operator
from state.errors import StoreAway
from state.events import Record
from state.run_state import Question, RunState

Found = TypeVar("Found")

FIRST: Final = 0.25
LONGEST: Final = 5.0
"""Seconds of the first pause, and of any: each is twice as long as the one before."""

GIVE_UP: Final = 600.0
"""Seconds after which the run is left, resumable."""


class Patience:
    """An operator who can wait: keeps the commands that come while nothing can be journaled."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._kept: list[Command] = []
        self._since: float | None = None
        self._pause = FIRST

    def ask(self, question: Question) -> Answer | None:
        """Ask the operator."""
        return self._operator.ask(question)

    def refused(self, question: Question, sentence: str) -> None:
        """Tell the operator."""
        self._operator.refused(question, sentence)

    def publish(self, state: RunState, records: Sequence[Record]) -> None:
        """Tell the operator."""
        self._operator.publish(state, records)

    def store_away(self, sentence: str | None) -> None:
        """Tell the operator."""
        self._operator.store_away(sentence)

    def commands(self, timeout: float) -> Sequence[Command]:
        """Return what came while the store was away, then what comes."""
        kept, self._kept = self._kept, []
        return [*kept, *self._operator.commands(0.0 if kept else timeout)]

    def wait(self, problem: StoreAway) -> None:
        """Wait before the store is tried again.

        Raises `problem` when the operator leaves, or when it has been away for too long.
        """
        now = time.monotonic()
        if self._since is None:
            self._since = now
            self._operator.store_away(problem.sentence)
        if now - self._since > GIVE_UP:
            raise problem
        until = now + self._pause
        self._pause = min(LONGEST, 2 * self._pause)
        while (left := until - time.monotonic()) > 0:
            came = self._operator.commands(left)
            if any(isinstance(command, Leave) for command in came):
                raise problem
            self._kept += came

    def until_back(self, call: Callable[[], Found]) -> Found:
        """Return what a call returns that may be made again: after the wait, when that is needed.

        Raises StoreAway as `wait` does.
        """
        while True:
            try:
                found = call()
            except StoreAway as problem:
                self.wait(problem)
            else:
                self.back()
                return found

    def back(self) -> None:
        """The store has answered."""
        if self._since is not None:
            self._since, self._pause = None, FIRST
            self._operator.store_away(None)
