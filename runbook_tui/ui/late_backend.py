"""A backend that is made when it is first asked for something: its imports take longer than the
first picture, which must not wait for them."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from runbook_tui.ui.backend import (
    Audited,
    Backend,
    Check,
    Draft,
    Driven,
    Ended,
    HomeView,
    PlanFound,
    Recorded,
    Standing,
)

if TYPE_CHECKING:
    from runbook_tui.definition.plan import PlanStep
    from runbook_tui.engine.attending import Online
    from runbook_tui.engine.ports import Operator
    from state.run_state import RunState


class Closable(Backend, Protocol):
    """A backend that holds something."""

    def close(self) -> None:
        """Let it go."""


class LateBackend:
    """Knows by itself where and who; all else is the backend's that `make` makes, once."""

    def __init__(self, state_directory: Path, operator: str, make: Callable[[], Closable]) -> None:
        self.state_directory = state_directory
        self.operator = operator
        self.host = socket.gethostname().partition(".")[0]
        self._make = make
        self._making = threading.Lock()
        self._real: Closable | None = None

    def _made(self) -> Closable:
        with self._making:
            if self._real is None:
                with _uncollected():
                    self._real = self._make()
            return self._real

    def close(self) -> None:
        """Close the backend if there is one."""
        with self._making:
            if self._real is not None:
                self._real.close()

    def home(self) -> HomeView:
        """Return what Home lists."""
        return self._made().home()

    def draft(self, file: Path, environment: str | None, given: Mapping[str, str]) -> Draft:
        """Read a runbook; the values given stand in its fields."""
        return self._made().draft(file, environment, given)

    def look(
        self, file: Path, environment: str | None, given: Mapping[str, str]
    ) -> Sequence[PlanFound]:
        """Look, step by step, at what is already there; changes nothing."""
        return self._made().look(file, environment, given)

    def preflight(
        self, file: Path, environment: str | None, given: Mapping[str, str]
    ) -> Sequence[Check]:
        """Look whether all that the run needs can be reached."""
        return self._made().preflight(file, environment, given)

    def start(
        self, file: Path, environment: str | None, given: Mapping[str, str], operator: Operator
    ) -> Ended:
        """Start a run and drive it until it ends, waits without us, or is left."""
        return self._made().start(file, environment, given, operator)

    def resume(self, run: str, operator: Operator) -> Ended:
        """Take a run up again and drive it."""
        return self._made().resume(run, operator)

    def roll_back(self, run: str, reason: str, operator: Operator) -> Ended:
        """Roll a run back and drive that; its confirmation is asked on the way."""
        return self._made().roll_back(run, reason, operator)

    def recorded(self, run: str) -> Recorded:
        """Read a run and its plan."""
        return self._made().recorded(run)

    def audited(self, run: str) -> Audited:
        """Check that the events of a run that nobody drives are as they were written."""
        return self._made().audited(run)

    def bring_output(self, attempt: str) -> None:
        """Bring here what another machine's attempt has written so far."""
        self._made().bring_output(attempt)

    def describe(self, step: PlanStep) -> Sequence[tuple[str, str]]:
        """Say in rows (label, words) what a step's action will do."""
        return self._made().describe(step)

    def note(self, run: str, step: str | None, words: str) -> None:
        """Write a note on a run that is not driven here."""
        self._made().note(run, step, words)

    def follow(
        self,
        run: str,
        tell: Callable[[RunState, Driven | None], None],
        going: Callable[[], bool],
    ) -> None:
        """Tell how a run stands and who drives it, as it changes, while `going`."""
        self._made().follow(run, tell, going)

    def standing(self, place: str) -> Standing:
        """Look whether somebody drives in a place, or left something there."""
        return self._made().standing(place)

    def online(self, state: RunState) -> Sequence[Online]:
        """Return who watches a run now, and which of them may approve what it asks."""
        return self._made().online(state)

    def vote(self, run: str, step: str, kind: str, reason: str) -> str:
        """Approve or deny what a step waits for; return what came of it."""
        return self._made().vote(run, step, kind, reason)

    def take_over(
        self,
        run: str,
        reason: str,
        operator: Operator,
        say: Callable[[str], None],
        going: Callable[[], bool],
    ) -> Ended:
        """Ask whoever drives a run, then drive it; `say` tells what goes on until then."""
        return self._made().take_over(run, reason, operator, say, going)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage while much is imported, nor ever again among what was: it lives as long
    as the program, and each look at all of it would hold the screen for tens of milliseconds.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
