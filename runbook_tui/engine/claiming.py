"""The claim of an attempt between machines: a worker that begins late must not begin at all.

On one machine the claim's file and lock decide. Between machines a row does: the driver claims
it, as long as its leases are its own, before a worker is started; and the worker must begin soon
after, or never. So a driver that was stopped in between, and wakes after another has taken over,
starts nothing that the other could not know of.
"""

from __future__ import annotations

from dataclasses import dataclass

from runbook_tui.engine import clock
from runbook_tui.engine.recorder import Recorder
from state.claims import Claimant, Claimed
from state.protocols import Claims
from state.run_state import AttemptState


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether the worker may begin, and by when (`clock.since_boot`; None: whenever)."""

    ours: bool
    begin_by: float | None


class Claiming:
    """Claims for the driver of one run. A store that is away is awaited."""

    def __init__(self, claims: Claims, recorder: Recorder) -> None:
        self._claims = claims
        self._recorder = recorder

    def begin(self, attempt: AttemptState) -> Turn:
        """Claim an attempt for its worker. Raises Fenced, StoreError."""
        asked = 0.0

        def claim() -> Claimed:
            nonlocal asked
            asked = clock.since_boot()
            return self._claim(attempt, "worker")

        claimed = self._recorder.until_back(claim)
        return Turn(claimed.ours, None if claimed.left is None else asked + claimed.left)

    def void(self, attempt: AttemptState) -> float:
        """Declare an attempt void; return for how many seconds its worker may yet begin.

        Raises Fenced, StoreError.
        """
        claimed = self._recorder.until_back(lambda: self._claim(attempt, "void"))
        return 0.0 if claimed.ours else claimed.left or 0.0

    def _claim(self, attempt: AttemptState, claimant: Claimant) -> Claimed:
        run, token = self._recorder.state.run, self._recorder.token
        return self._claims.claim(run, attempt.directory, claimant, token=token)
