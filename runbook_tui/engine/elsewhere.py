"""An attempt that another machine began: no lock and no process here says anything about it.

It is awaited (its result may still come) and a person is asked whether that machine is dead. Only
then is it looked at what the attempt did, and even `absent` is no reason to run it again unasked:
whoever was declared dead may only have been out of sight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from runbook_tui.engine.retries import ELSEWHERE
from state.json_value import Json
from state.run_state import Answered, AttemptState, RunState
from state.stores.result import Result

ASKS: Final = "elsewhere"
DEAD: Final = "dead"
"""The only answer: that machine is dead, with how one knows."""


def shown(attempt: AttemptState, state: RunState) -> Mapping[str, Json]:
    """Return what the question shows: where it runs, since when, and when it was last heard of."""
    heard = state.last_heard(attempt.host) or attempt.started_at
    reason = (
        f"Begun there at {_second(attempt.started_at)}, last heard from at {_second(heard)}. What "
        "happens there cannot be seen from here; its result is taken as soon as it comes."
    )
    return {
        "host": attempt.host,
        "since": attempt.started_at,
        "heard": heard,
        "reason": reason,
    }


def died(attempt: AttemptState, answer: Answered) -> Result:
    """Return what stands in for the result once a person said that the machine is dead."""
    reason = (answer.reason or "").strip().rstrip(".")
    return Result(
        status="unknown",
        cause=ELSEWHERE,
        reason=f"It was begun on {attempt.host}, which {answer.operator} declared dead: {reason}.",
    )


def cannot_stop(attempt: AttemptState) -> str:
    """Return what is noted when a stop is asked for that nobody here can bring about."""
    return f"It runs on {attempt.host} and cannot be stopped from here."


def _second(at: str) -> str:
    """Return a time of the journal to the second."""
    return f"{at[:19]}Z"
