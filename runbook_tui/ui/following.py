"""A run that somebody else drives, followed in a thread: the newest state up, nothing down."""

from __future__ import annotations

import threading

from runbook_tui.ui.backend import Backend, BackendError, Driven
from state.run_state import RunState


class Follower:
    """Follows a run until `close`, or until it is over."""

    def __init__(self, backend: Backend, run: str) -> None:
        self._backend = backend
        self._run_id = run
        self._lock = threading.Lock()
        self._newest: tuple[RunState, Driven | None] | None = None
        self._changed = False
        self._going = True
        self._failure: BackendError | None = None
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._thread.start()

    def take(self) -> tuple[RunState, Driven | None] | None:
        """Return the newest state and who drives, if it is new since the last call."""
        with self._lock:
            changed, self._changed = self._changed, False
            return self._newest if changed else None

    def take_failure(self) -> BackendError | None:
        """Return why it cannot be followed any more, once."""
        with self._lock:
            failure, self._failure = self._failure, None
            return failure

    def close(self) -> None:
        """Follow no more; the thread ends within half a second, by itself."""
        self._going = False

    def _tell(self, state: RunState, driven: Driven | None) -> None:
        with self._lock:
            if self._newest != (state, driven):
                self._newest, self._changed = (state, driven), True

    def _run(self) -> None:
        try:
            self._backend.follow(self._run_id, self._tell, lambda: self._going)
        except BackendError as problem:
            with self._lock:
                self._failure = problem
