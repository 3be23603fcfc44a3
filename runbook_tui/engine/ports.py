"""The borders of the engine, as Protocols: workers below, people above.

The driver knows nothing but these; tests put fakes behind them, `engine/workers.py` and the two
operators (screen, headless) are the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from runbook_tui.actions.api import Job
from runbook_tui.definition.plan import SecretSource
from state.events import Record
from state.run_state import Question, RunState

Mode = Literal["perform", "probe", "verify"]

SecretReader = Callable[[SecretSource], str]
"""Reads one secret where it is kept; raises SecretError with a sentence."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is told, over a pipe. `perform` is the module that acts (`Spec.perform`).

    In the modes `probe` and `verify` the worker looks and changes nothing; its directory is one of
    its own. `verify` is `check`'s vocabulary: the job's action is the look's, and `absent` the exit
    codes (or HTTP statuses) that mean absent.
    """

    mode: Mode
    perform: str
    job: Job
    fault: str | None = None
    graces: tuple[float, float] = (10.0, 5.0)
    """Seconds from interrupt to terminate, and from terminate to kill."""
    begin_by: float | None = None
    """Boot time (`clock.since_boot`) after which a worker must not begin any more."""


class WorkerPool(Protocol):
    """Starts workers that outlive us. All else about a worker is read from its directory."""

    def start(self, order: Order) -> None:
        """Start a worker for an order whose directory exists; returns once it is forked.

        Raises WorkerStartError when no worker could be started (nothing has acted then).
        """

    def stop(self, directory: str, reason: str) -> None:
        """Ask the worker of an attempt directory to stop: graceful, then firm."""

    def close(self) -> None:
        """Let the helper process go; running workers go on."""


class WorkerStartError(Exception):
    """No worker could be started; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operator decided on a question."""

    question: str
    choice: str
    by: Literal["person", "policy"]
    reason: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StopStep:
    """The operator wants the running attempt of a step stopped."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class AddNote:
    """The operator wrote a note."""

    text: str
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Start nothing new until `Release` (the operator's `pause after it`)."""


@dataclass(frozen=True, slots=True)
class Release:
    """Go on after `Hold`."""


@dataclass(frozen=True, slots=True)
class Leave:
    """The operator leaves: running steps go on, the run waits. `signal`: told to by a signal."""

    reason: str
    signal: bool = False


@dataclass(frozen=True, slots=True)
class HandOver:
    """The operator leaves so that somebody else, `to`, goes on."""

    to: str
    reason: str


@dataclass(frozen=True, slots=True)
class Abort:
    """The operator ends the run: running steps are stopped, nothing is undone."""

    reason: str


@dataclass(frozen=True, slots=True)
class RollBack:
    """The operator wants everything taken back, by a linked run with a confirmation of its own."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotNow:
    """The operator goes back from the rollback's confirmation to what was open before it."""

    question: str


@dataclass(frozen=True, slots=True)
class Remind:
    """The operator reminds those who may approve what a question asks."""

    question: str


@dataclass(frozen=True, slots=True)
class TakeBack:
    """The operator takes a question back that others were to approve."""

    question: str
    reason: str


Command = (
    Answer
    | StopStep
    | AddNote
    | Hold
    | Release
    | Leave
    | HandOver
    | Abort
    | RollBack
    | NotNow
    | Remind
    | TakeBack
)


class Operator(Protocol):
    """Whoever drives: the screen, or headless policy. Called in the driver's thread.

    A typed confirmation is answered with what was typed in `Answer.fields["typed"]`.
    """

    def ask(self, question: Question) -> Answer | None:
        """A question is open. Policy answers at once; a screen returns None and sends a Command.

        Headless policy that has no answer raises NoAnswer.
        """

    def refused(self, question: Question, sentence: str) -> None:
        """An answer did not count; `sentence` says why. The question stays open."""

    def publish(self, state: RunState, records: Sequence[Record]) -> None:
        """The state after `records` were journaled. Must not block."""

    def commands(self, timeout: float) -> Sequence[Command]:
        """Wait up to `timeout` seconds for commands and return those that came."""

    def store_away(self, sentence: str | None) -> None:
        """The store cannot be reached: `sentence` says why, and the run waits. None: it is back."""


class NoAnswer(Exception):  # noqa: N818
    """Policy has no answer: the run stops, resumable (exit 1 after a failure, else 3)."""
