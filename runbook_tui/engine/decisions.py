"""What `decide` may want the driver to do: one small frozen class each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class AskStart:
    """Ask whether the run may begin at all: protected environments, and every rollback."""


@dataclass(frozen=True, slots=True)
class EvaluateWhen:
    """Evaluate a step's condition and journal what it came to."""

    step: str


@dataclass(frozen=True, slots=True)
class FixList:
    """Fix and journal what an `each` is repeated for."""

    step: str


@dataclass(frozen=True, slots=True)
class AskConfirm:
    """Ask whether the step may begin, in the way that its `confirm` says."""

    step: str


@dataclass(frozen=True, slots=True)
class Approve:
    """As many have approved the step as must: close its question with that."""

    step: str


@dataclass(frozen=True, slots=True)
class AskManual:
    """Have a person do, decide and record what the step says."""

    step: str


@dataclass(frozen=True, slots=True)
class AskFailure:
    """Ask what is to happen with a step that failed, or whose outcome nobody knows."""

    step: str


@dataclass(frozen=True, slots=True)
class AskElsewhere:
    """Ask whether the machine that began the step's open attempt is dead."""

    step: str


@dataclass(frozen=True, slots=True)
class DeclareDead:
    """A person says that the machine of the step's open attempt is dead: look what it did."""

    step: str


@dataclass(frozen=True, slots=True)
class AskRollback:
    """Show what a rollback would do and have it confirmed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Begin:
    """Start an attempt at a step, or at taking its effect back."""

    step: str
    undo: bool = False


@dataclass(frozen=True, slots=True)
class PlanRetry:
    """Have the step tried again by itself after `delay` seconds."""

    step: str
    delay: float


@dataclass(frozen=True, slots=True)
class BeginWait:
    """Fix the time at which a `wait` ends."""

    step: str


@dataclass(frozen=True, slots=True)
class EndWait:
    """The time of a `wait` has come."""

    step: str


@dataclass(frozen=True, slots=True)
class Verify:
    """A person says that the step is done: look, and record who vouches for it."""

    step: str


@dataclass(frozen=True, slots=True)
class RecordManual:
    """Record the choice of a `manual` step."""

    step: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave a step or group out."""

    step: str
    reason: str
    by: Literal["person", "policy", "end", "when"]


@dataclass(frozen=True, slots=True)
class Fail:
    """A step cannot begin, or was cut short by the end of the run."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Judge:
    """A group whose steps are all settled, or a `join` whose step has ended, is done."""

    step: str
    status: Literal["succeeded", "failed"]


@dataclass(frozen=True, slots=True)
class StopAttempt:
    """Stop a running attempt: graceful, then firm."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A question needs no answer any more."""

    question: str
    reason: str


@dataclass(frozen=True, slots=True)
class BeginRollback:
    """Nothing is live and the rollback is confirmed: hand over to the linked run."""

    reason: str


@dataclass(frozen=True, slots=True)
class End:
    """The run is over."""

    status: Literal["succeeded", "aborted"]
    failures: int
    reason: str | None = None


Decision = (
    AskStart
    | EvaluateWhen
    | FixList
    | AskConfirm
    | Approve
    | AskManual
    | AskFailure
    | AskElsewhere
    | DeclareDead
    | AskRollback
    | Begin
    | PlanRetry
    | BeginWait
    | EndWait
    | Verify
    | RecordManual
    | Skip
    | Fail
    | Judge
    | StopAttempt
    | Withdraw
    | BeginRollback
    | End
)
