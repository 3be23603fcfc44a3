"""The facts a run is made of.

Each class is the payload of one kind of event: frozen, versioned by the codec, made of JSON values
only. `Record` is the envelope that the journal keeps and chains. Nothing here knows a secret:
values that a secret went into are journaled as they may be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from state.json_value import Json
from state.values import value


@value(frozen=True, slots=True)
class Record:
    """One journaled event. `at` is UTC, ISO 8601 with microseconds and Z; `hash` chains `prev`.

    `text` is the data as a store keeps it, for whoever checks the hash; see `codec.as_kept`.
    """

    seq: int
    run: str
    at: str
    kind: str
    data: Mapping[str, Json]
    operator: str
    host: str
    token: int
    prev: str
    hash: str
    text: str | None = field(default=None, init=False, compare=False, repr=False)


@value(frozen=True, slots=True)
class RunStarted:
    """A run began. `steps` is the outline (`id name phase refs action group`), in order.

    `definition` maps each source file's name to the SHA-256 of its normalised bytes; the bytes
    themselves are kept by the journal. `base` is the run that this one rolls back.
    """

    kind: ClassVar[str] = "run_started"
    runbook: str
    file: str
    environment: str
    protected: bool
    parameters: Mapping[str, str]
    definition: Mapping[str, str]
    steps: tuple[Mapping[str, Json], ...]
    locks: tuple[str, ...]
    cwd: str
    program: str
    commit: str | None = None
    dirty: bool = False
    base: str | None = None
    rehearsal: bool = False


@value(frozen=True, slots=True)
class RunResumed:
    """A driver took the run up again. `away`: seconds since the event before, by the wall clock.

    `changed` names what differs in the files; `refused` says why that cannot be adopted, if so.
    """

    kind: ClassVar[str] = "run_resumed"
    away: float
    program: str
    changed: tuple[str, ...] = ()
    refused: str | None = None


@value(frozen=True, slots=True)
class DefinitionAdopted:
    """The run goes on with its files as they are now, for what had not begun.

    `definition` and `steps` are as in `run_started`, for the new files; `files` maps their names to
    the SHA-256 of their very bytes, which the journal keeps. `kept` are the steps and groups that
    had begun: they keep the definition they had. `changed` names what differs. `parameters` are all
    of the new definition's, secret ones masked.
    """

    kind: ClassVar[str] = "definition_adopted"
    definition: Mapping[str, str]
    files: Mapping[str, str]
    steps: tuple[Mapping[str, Json], ...]
    kept: tuple[str, ...]
    changed: tuple[str, ...]
    parameters: Mapping[str, str]
    locks: tuple[str, ...]
    program: str


@value(frozen=True, slots=True)
class RunLeft:
    """The driver left on purpose (quit, signal, policy): the run can be resumed."""

    kind: ClassVar[str] = "run_left"
    reason: str


@value(frozen=True, slots=True)
class RunEnded:
    """The run is over: `succeeded`, `aborted` or, resumable, `failed`."""

    kind: ClassVar[str] = "run_ended"
    status: str
    failures: int = 0
    reason: str | None = None


@value(frozen=True, slots=True)
class RollbackBegun:
    """The linked run `by` takes back what this run did."""

    kind: ClassVar[str] = "rollback_begun"
    by: str
    reason: str | None = None


@value(frozen=True, slots=True)
class RunRolledBack:
    """The linked run `by` has ended well; `undone` are the steps whose effect is taken back."""

    kind: ClassVar[str] = "run_rolled_back"
    by: str
    undone: tuple[str, ...] = ()


@value(frozen=True, slots=True)
class WhenDecided:
    """A step's `when` was evaluated, once; `values` are what it saw (secrets cannot occur)."""

    kind: ClassVar[str] = "when_decided"
    step: str
    result: bool
    values: Mapping[str, str]


@value(frozen=True, slots=True)
class StepSkipped:
    """A step will not run. `by`: when | person | policy | end."""

    kind: ClassVar[str] = "step_skipped"
    step: str
    reason: str
    by: str


@value(frozen=True, slots=True)
class InstancesFixed:
    """What the steps of an `each` are repeated for is fixed, whatever happens to its source.

    `over`: host | item. `names` stand in the ids of the repeated steps (`STEP@NAME`), `values` are
    the hosts' names or the items, in the same order. At most `batch` go on at once.
    """

    kind: ClassVar[str] = "instances_fixed"
    step: str
    over: str
    names: tuple[str, ...]
    values: tuple[str, ...]
    batch: int = 1
    max_failures: int = 0


@value(frozen=True, slots=True)
class AttemptIntended:
    """Written, and synced, before anything acts.

    `number` counts a step's attempts from 1. `directory` is relative to the state directory.
    `machine` and `boot` tell whose kernel to ask about liveness. `before` is the verdict from
    before the first attempt, `carries` what the effect will bear (commit, label, run id).
    """

    kind: ClassVar[str] = "attempt_intended"
    step: str
    number: int
    action: str
    directory: str
    machine: str
    boot: str
    before: str | None = None
    carries: Mapping[str, Json] = field(default_factory=dict)
    reads: bool = False
    """True when the action changes nothing."""
    undo: bool = False
    """True when the attempt takes the step's effect back (the answer `undo`)."""


@value(frozen=True, slots=True)
class StopAsked:
    """Somebody wants a running attempt stopped."""

    kind: ClassVar[str] = "stop_asked"
    step: str
    number: int
    reason: str


@value(frozen=True, slots=True)
class AttemptVoided:
    """The claim was taken as void by a resumer: the attempt never acted."""

    kind: ClassVar[str] = "attempt_voided"
    step: str
    number: int
    reason: str


@value(frozen=True, slots=True)
class AttemptEnded:
    """The outcome of an attempt: `succeeded failed stopped unknown`.

    `effect` is what is known of its effect: none | done | partial | unknown. `verdict` is that of
    a probe or `verify`, with `adopted` when it decided instead of a result. `cause` is a word that
    `retries: {on: …}` may name.
    """

    kind: ClassVar[str] = "attempt_ended"
    step: str
    number: int
    status: str
    reason: str | None = None
    exit_code: int | None = None
    verdict: str | None = None
    cause: str | None = None
    effect: str = "unknown"
    adopted: bool = False
    proof: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    by_host: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    evidence: tuple[Mapping[str, Json], ...] = ()
    detail: Mapping[str, Json] = field(default_factory=dict)


@value(frozen=True, slots=True)
class RetryPlanned:
    """The step will be tried again by itself at `until` (UTC)."""

    kind: ClassVar[str] = "retry_planned"
    step: str
    until: str
    reason: str


@value(frozen=True, slots=True)
class WaitBegun:
    """A `wait` step began; it ends at `until` (UTC), whatever happens to the program."""

    kind: ClassVar[str] = "wait_begun"
    step: str
    until: str


@value(frozen=True, slots=True)
class QuestionAsked:
    """A person must decide. `id` is unique in the run.

    `asks`: confirm | typed | manual | failure | unknown | partial | elsewhere | rollback | start |
    drift (the files have changed: `keep` what it began with, or `adopt` them) |
    abort (the operator's own wish to end the run, answered as it is asked).
    `choices` are the words of the command line's contract, the safe one is never among them.
    `shown` holds what the question needs on the screen (rows of text), `typed` the name to type.
    """

    kind: ClassVar[str] = "question_asked"
    id: str
    step: str | None
    asks: str
    text: str
    choices: tuple[str, ...]
    typed: str | None = None
    shown: Mapping[str, Json] = field(default_factory=dict)


@value(frozen=True, slots=True)
class QuestionAnswered:
    """A decision. `by`: person | policy. `fields` are what a `manual` step records."""

    kind: ClassVar[str] = "question_answered"
    id: str
    choice: str
    by: str
    reason: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@value(frozen=True, slots=True)
class QuestionWithdrawn:
    """The question needs no answer any more."""

    kind: ClassVar[str] = "question_withdrawn"
    id: str
    reason: str


@value(frozen=True, slots=True)
class StepJudged:
    """A step came to stand at `status` by a decision or a rule and not by an attempt's outcome.

    For groups, `manual` and `wait` steps, `verified` answers, and steps that stay failed.
    """

    kind: ClassVar[str] = "step_judged"
    step: str
    status: str
    reason: str | None = None
    proof: str | None = None
    adopted: bool = False
    outputs: Mapping[str, str] = field(default_factory=dict)
    by_host: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    evidence: tuple[Mapping[str, Json], ...] = ()


@value(frozen=True, slots=True)
class NoteAdded:
    """A person wrote something down, on a step or on the run."""

    kind: ClassVar[str] = "note_added"
    text: str
    step: str | None = None


@value(frozen=True, slots=True)
class NoteReceived:
    """A note that came through the inbox, from `sender` on `host`, who does not drive."""

    kind: ClassVar[str] = "note_received"
    text: str
    step: str | None
    sender: str
    host: str


@value(frozen=True, slots=True)
class MessageTaken:
    """The driver took a message out of the inbox. `id` occurs once in a run.

    `what` it is: note | stop | approve | deny | take_over | hand_over. What it brought about is
    journaled in the same transaction; `refused` says in a sentence why that is nothing. `identity`
    is the database role of the sender, empty where the store knows none; `sent_at` is UTC.
    """

    kind: ClassVar[str] = "message_taken"
    id: str
    what: str
    sender: str
    host: str
    identity: str
    sent_at: str
    refused: str | None = None


@value(frozen=True, slots=True)
class ApprovalGiven:
    """Somebody who does not drive approved what an open question asks; it counts until `until`."""

    kind: ClassVar[str] = "approval_given"
    question: str
    operator: str
    host: str
    identity: str
    until: str
    reason: str | None = None


@value(frozen=True, slots=True)
class ApproversReminded:
    """The driver reminded those who may approve what a question asks; `online` watched then."""

    kind: ClassVar[str] = "approvers_reminded"
    question: str
    online: tuple[str, ...] = ()


@value(frozen=True, slots=True)
class TakenOver:
    """Follows `run_resumed` when another driver was replaced: `before` on `host`.

    `how`: yielded (it left when it was asked) | left (it had left before) | expired (it was not
    heard of any more) | silent (it was, and did not answer).
    """

    kind: ClassVar[str] = "taken_over"
    before: str
    host: str
    reason: str
    how: str


@value(frozen=True, slots=True)
class HandedOver:
    """The driver leaves so that `to` may go on; `run_left` follows."""

    kind: ClassVar[str] = "handed_over"
    to: str
    reason: str


Payload = (
    RunStarted
    | RunResumed
    | DefinitionAdopted
    | RunLeft
    | RunEnded
    | RollbackBegun
    | RunRolledBack
    | WhenDecided
    | StepSkipped
    | InstancesFixed
    | AttemptIntended
    | StopAsked
    | AttemptVoided
    | AttemptEnded
    | RetryPlanned
    | WaitBegun
    | QuestionAsked
    | QuestionAnswered
    | QuestionWithdrawn
    | StepJudged
    | NoteAdded
    | NoteReceived
    | MessageTaken
    | ApprovalGiven
    | ApproversReminded
    | TakenOver
    | HandedOver
)
