"""Where a run stands, as its journal tells: what `fold` makes of the events.

Frozen all through; `fold.apply` returns a new state that shares all that did not change. Times are
the journal's: UTC, ISO 8601 with microseconds and Z.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from state.events import DefinitionAdopted, InstancesFixed, RunStarted
from state.json_value import Json
from state.status import DONE_STEP, FINAL_RUN, AttemptStatus, RunStatus, StepStatus
from state.steps import Steps
from state.values import value

GROUP_ACTION = "parallel"
EACH_ACTION = "each"
INCLUDE_ACTION = "include"
GROUP_ACTIONS = frozenset({GROUP_ACTION, EACH_ACTION, INCLUDE_ACTION})
"""The actions of lines in the outline that group steps and do nothing themselves."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What somebody who does not drive said yes to. It counts until `until`.

    `identity` is their database role; `operator` and `host` are what they call themselves.
    """

    operator: str
    host: str
    identity: str
    reason: str | None
    at: str
    until: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """The latest take-over: whom the present driver replaced, when, why and how."""

    before: str
    before_host: str
    by: str
    host: str
    reason: str
    how: str
    at: str


DRIFT = "drift"
ADOPT = "adopt"
"""What is asked when the files have changed, and the answer that takes the change."""


@dataclass(frozen=True, slots=True)
class Question:
    """A decision that is open. `choices` are the command line's words; `typed` the name to type.

    `approvals` are those given so far, in order, the latest of each identity; `reminders` are the
    times at which those who may give one were reminded.
    """

    id: str
    step: str | None
    asks: str
    text: str
    choices: tuple[str, ...]
    typed: str | None
    shown: Mapping[str, Json]
    asked_at: str
    approvals: tuple[Approval, ...] = ()
    reminders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that is no longer open. `choice` is None when it was withdrawn (see `reason`).

    `by` is person, policy or, withdrawn, nobody; `fields` are what a `manual` step records; `tries`
    is how many attempts the step had by then.
    """

    question: Question
    choice: str | None
    by: str
    reason: str | None
    fields: Mapping[str, str]
    operator: str
    host: str
    at: str
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """What a person wrote down, on a step or (`step` None) on the run."""

    text: str
    step: str | None
    operator: str
    host: str
    at: str


@value(frozen=True, slots=True)
class AttemptState:
    """One try at a step: what was intended, and how it ended if it did.

    `host` is the name of the machine that began it. `undo` marks a try at taking the step's effect
    back. `stop_reason` is set once somebody asked for a stop. `directory` is relative to the state
    directory.
    """

    number: int
    action: str
    directory: str
    machine: str
    boot: str
    started_at: str
    host: str = ""
    status: AttemptStatus = AttemptStatus.INTENDED
    undo: bool = False
    reads: bool = False
    before: str | None = None
    carries: Mapping[str, Json] = field(default_factory=dict)
    ended_at: str | None = None
    exit_code: int | None = None
    verdict: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    by_host: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    evidence: tuple[Mapping[str, Json], ...] = ()
    reason: str | None = None
    cause: str | None = None
    effect: str = "unknown"
    adopted: bool = False
    stop_reason: str | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether it has neither an outcome nor been declared void."""
        return self.status is AttemptStatus.INTENDED


@value(frozen=True, slots=True)
class StepState:
    """One line of the checklist. A group has an action of `GROUP_ACTIONS` and no attempts.

    `answer` is the latest decision on this step that no later event has acted upon yet: a resumed
    driver goes on from it. `when` is None until the step's condition was evaluated. While a retry
    or a `wait` is pending the step is running and `retry_until`, `wait_until` hold its time.
    """

    id: str
    name: str
    phase: str
    action: str
    refs: tuple[str, ...] = ()
    group: str | None = None
    status: StepStatus = StepStatus.PENDING
    proof: str | None = None
    adopted: bool = False
    reason: str | None = None
    skipped_by: str | None = None
    notes: tuple[Note, ...] = ()
    attempts: tuple[AttemptState, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    by_host: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    evidence: tuple[Mapping[str, Json], ...] = ()
    when: bool | None = None
    when_values: Mapping[str, str] = field(default_factory=dict)
    retry_until: str | None = None
    wait_until: str | None = None
    answer: Answered | None = None
    asked_from: StepStatus | None = None
    """The status to come back to when the open confirmation or `manual` question is closed."""
    started_at: str | None = None
    ended_at: str | None = None

    @property
    def last(self) -> AttemptState | None:
        """The newest attempt, if any."""
        return self.attempts[-1] if self.attempts else None

    @property
    def open_attempt(self) -> AttemptState | None:
        """The attempt that has no outcome yet, if there is one (at most one has none)."""
        last = self.last
        return last if last is not None and last.open else None

    @property
    def done(self) -> bool:
        """Whether nothing is left to do or to decide here."""
        return self.status in DONE_STEP

    @property
    def is_group(self) -> bool:
        """Whether this line groups others."""
        return self.action in GROUP_ACTIONS


@dataclass(frozen=True, slots=True)
class Adopted:
    """A changed definition that the run goes on with, and who decided that."""

    event: DefinitionAdopted
    operator: str
    host: str
    at: str


@value(frozen=True, slots=True)
class RunState:
    """A run as recorded. Who or what is alive now is not in here: see `observe`.

    `questions` are the open ones, oldest first; `answered` the closed ones by id, in order.
    `left` is the reason of a driver that left on purpose and was not followed by another.
    `rollback_by` is the linked run of the latest rollback that began, `rolled_back_by` of the one
    that ended well. `driver` is who started it or took it up last.
    """

    run: str
    started: RunStarted
    status: RunStatus
    operator: str
    host: str
    driver: str
    started_at: str
    seq: int
    at: str
    steps: Steps
    questions: tuple[Question, ...] = ()
    answered: Mapping[str, Answered] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    failures: int = 0
    resumes: int = 0
    token: int = 0
    ended_at: str | None = None
    reason: str | None = None
    left: str | None = None
    changed: tuple[str, ...] = ()
    """Step ids whose definition had changed when the run was last resumed."""
    rollback_by: str | None = None
    rolled_back_by: str | None = None
    writer: str = ""
    """The host that wrote the newest event."""
    heard: Mapping[str, str] = field(default_factory=dict)
    """When each other host wrote its newest event."""
    driver_host: str = ""
    """The host of whoever started it or took it up last."""
    messages: frozenset[str] = frozenset()
    """The ids of the inbox's messages that were taken."""
    replaced: Replaced | None = None
    """The latest take-over, if there was one."""
    instances: Mapping[str, InstancesFixed] = field(default_factory=dict)
    """What each `each` is repeated for, once that is fixed: steps for them are in its place."""
    program: str = ""
    """The version of the program that drove it last."""
    adopted: tuple[Adopted, ...] = ()
    """The changed definitions that it took on, oldest first."""
    adopting: bool = False
    """Somebody decided to take the change on, and that is not done yet."""
    refused: str | None = None
    """Why what has changed when the run was last resumed cannot be taken on, if so."""

    def last_heard(self, host: str) -> str | None:
        """Return when a host wrote its newest event; None when it never wrote one."""
        return self.at if host == self.writer else self.heard.get(host)

    @property
    def base(self) -> str | None:
        """The run that this one rolls back, if it is a rollback."""
        return self.started.base

    @property
    def definition(self) -> Mapping[str, str]:
        """The hashes of the files that the run goes by now."""
        return self.adopted[-1].event.definition if self.adopted else self.started.definition

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters, secret ones masked, those of adopted definitions among them."""
        given = dict(self.started.parameters)
        for one in self.adopted:
            given |= one.event.parameters
        return given

    @property
    def final(self) -> bool:
        """Whether it never goes on."""
        return self.status in FINAL_RUN

    def step(self, id_: str) -> StepState:
        """Return a step or group by its id; KeyError when there is none."""
        return self.steps[id_]

    def children(self, group: str) -> tuple[StepState, ...]:
        """Return the steps of a group, in order."""
        return tuple(step for step in self.steps.values() if step.group == group)

    def question(self, id_: str) -> Question | None:
        """Return the open question with this id, if it is open."""
        return next((question for question in self.questions if question.id == id_), None)

    def question_on(self, step: str) -> Question | None:
        """Return the open question on a step (at most one is open), if any."""
        return next((question for question in self.questions if question.step == step), None)

    def open_attempts(self) -> tuple[tuple[StepState, AttemptState], ...]:
        """Return the attempts without an outcome, with their steps, in order."""
        return tuple(
            (step, attempt)
            for step in self.steps.stirred()
            if (attempt := step.open_attempt) is not None
        )
