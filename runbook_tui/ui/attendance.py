"""Who watches a run, looked for in a thread while others are asked to approve something."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from runbook_tui.engine import approvals
from runbook_tui.ui.backend import Backend, BackendError

if TYPE_CHECKING:
    from runbook_tui.engine.attending import Online
    from state.run_state import RunState

EVERY: Final = 2.0
"""Seconds between two looks."""


class Attendance:
    """Looks as long as there is something to approve; its thread begins with the first question."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._wanted: RunState | None = None
        self._found: tuple[str, Sequence[Online]] | None = None
        self._closed = False
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def about(self, state: RunState) -> Sequence[Online] | None:
        """Return who was there at the last look; None before the first. Never blocks."""
        question = approvals.open_question(state)
        self._wanted = state if question is not None else None
        if question is None or self._closed:
            return None
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="attendance", daemon=True)
            self._thread.start()
        if self._found is None or self._found[0] != state.run:
            self._wake.set()
            return None
        return self._found[1]

    def close(self) -> None:
        """Look no more; the thread ends by itself."""
        self._closed = True
        self._wake.set()

    def _run(self) -> None:
        while not self._closed:
            self._wake.clear()
            state = self._wanted
            if state is not None:
                try:
                    self._found = state.run, tuple(self._backend.online(state))
                except BackendError:
                    self._found = None  # nobody knows while the journal is away
            self._wake.wait(EVERY)
