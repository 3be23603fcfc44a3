"""The mutable side of folding: a run and its touched steps while events are applied.

A draft is thawed from a `RunState` (or from nothing), changed by the rules, and frozen again; only
steps that a rule asked for are copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Final

from state.errors import FoldError
from state.events import InstancesFixed, Record, RunStarted
from state.json_value import Json
from state.persistent_map import PersistentMap
from state.run_state import (
    GROUP_ACTIONS,
    Adopted,
    Answered,
    AttemptState,
    Note,
    Question,
    Replaced,
    RunState,
    StepState,
)
from state.status import RUN_TRANSITIONS, STEP_TRANSITIONS, RunStatus, StepStatus
from state.steps import Steps


@dataclass(slots=True)
class StepDraft:
    """A `StepState` that may change: the same fields in the same order, the same at first."""

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
    started_at: str | None = None
    ended_at: str | None = None

    @property
    def open_attempt(self) -> AttemptState | None:
        """Return the attempt without an outcome, if there is one."""
        return self.attempts[-1] if self.attempts and self.attempts[-1].open else None


_STEP_FIELDS: Final = tuple(field.name for field in fields(StepState))
_read_step: Final[Callable[[object], tuple[object, ...]]] = attrgetter(*_STEP_FIELDS)
_RUN_FIELDS: Final = tuple(
    field.name for field in fields(RunState) if field.name not in ("steps", "answered")
)
_read_run: Final[Callable[[object], tuple[object, ...]]] = attrgetter(*_RUN_FIELDS)


def thaw_step(step: StepState) -> StepDraft:
    """Return a step that may be changed."""
    return StepDraft(*_read_step(step))  # type: ignore[arg-type]  # same fields, same order


def freeze_step(draft: StepDraft) -> StepState:
    """Return the step for good."""
    return StepState(*_read_step(draft))  # type: ignore[arg-type]  # same fields, same order


@dataclass(slots=True)
class RunDraft:
    """A `RunState` that may change: its fields, and the steps and answers touched so far."""

    run: str
    started: RunStarted
    status: RunStatus
    operator: str
    host: str
    driver: str
    started_at: str
    seq: int
    at: str
    questions: tuple[Question, ...] = ()
    notes: tuple[Note, ...] = ()
    failures: int = 0
    resumes: int = 0
    token: int = 0
    ended_at: str | None = None
    reason: str | None = None
    left: str | None = None
    changed: tuple[str, ...] = ()
    rollback_by: str | None = None
    rolled_back_by: str | None = None
    writer: str = ""
    heard: Mapping[str, str] = field(default_factory=dict)
    driver_host: str = ""
    messages: frozenset[str] = frozenset()
    replaced: Replaced | None = None
    instances: Mapping[str, InstancesFixed] = field(default_factory=dict)
    program: str = ""
    adopted: tuple[Adopted, ...] = ()
    adopting: bool = False
    refused: str | None = None
    steps: Mapping[str, StepState] = field(default_factory=dict)
    answered: Mapping[str, Answered] = field(default_factory=dict)
    touched: dict[str, StepDraft] = field(default_factory=dict)
    closed: dict[str, Answered] = field(default_factory=dict)

    def step(self, id_: str, record: Record) -> StepDraft:
        """Return the step to change, or raise FoldError when the run has none of that id."""
        draft = self.touched.get(id_)
        if draft is None:
            step = self.steps.get(id_)
            if step is None:
                raise FoldError(f"event {record.seq} ({record.kind}): there is no step {id_}")
            draft = self.touched[id_] = thaw_step(step)
        return draft

    def each_step(self) -> Iterator[StepDraft | StepState]:
        """Yield all steps as they stand, touching none."""
        for id_, step in self.steps.items():
            yield self.touched.get(id_, step)
        for id_, draft in self.touched.items():
            if id_ not in self.steps:
                yield draft

    def exchange(self, gone: Set[str], after: str, new: Iterable[StepState]) -> None:
        """Take steps out and put others behind the step `after`."""
        fresh = {step.id: step for step in new}
        order = (*self.steps, *(id_ for id_ in self.touched if id_ not in self.steps))
        steps: dict[str, StepState] = {}
        for id_ in order:
            if id_ not in gone:
                steps[id_] = self.steps.get(id_) or freeze_step(self.touched[id_])
            if id_ == after:
                steps |= fresh
        for id_ in gone:
            self.touched.pop(id_, None)
        self.steps = steps

    def move(self, step: StepDraft, status: StepStatus, record: Record) -> None:
        """Change a step's status along the table, or raise FoldError."""
        if status is not step.status and status not in STEP_TRANSITIONS[step.status]:
            raise FoldError(
                f"event {record.seq} ({record.kind}): step {step.id} is {step.status} "
                f"and cannot become {status}"
            )
        if step.action not in GROUP_ACTIONS:
            failed = StepStatus.FAILED
            self.failures += (status is failed) - (step.status is failed)
        step.status = status

    def turn(self, status: RunStatus, record: Record) -> None:
        """Change the run's status along the table, or raise FoldError."""
        if status is not self.status and status not in RUN_TRANSITIONS[self.status]:
            raise FoldError(
                f"event {record.seq} ({record.kind}): the run is {self.status} "
                f"and cannot become {status}"
            )
        self.status = status

    def was_asked(self, question: str) -> bool:
        """Whether a question of this id was ever asked."""
        return (
            question in self.closed
            or question in self.answered
            or any(open_.id == question for open_ in self.questions)
        )


def thaw(state: RunState) -> RunDraft:
    """Return a run that may be changed; `state` itself stays as it is."""
    draft = RunDraft(*_read_run(state))  # type: ignore[arg-type]  # same fields, same order
    draft.steps = state.steps
    draft.answered = state.answered
    return draft


def freeze(draft: RunDraft) -> RunState:
    """Return the run for good, sharing what was not touched."""
    steps = {id_: freeze_step(step) for id_, step in draft.touched.items()}
    return RunState(
        **dict(zip(_RUN_FIELDS, _read_run(draft), strict=True)),  # type: ignore[arg-type]  # same
        steps=_steps(draft.steps, steps),
        answered=_answers(draft.answered, draft.closed),
    )


def _steps(base: Mapping[str, StepState], changes: Mapping[str, StepState]) -> Steps:
    return base.updated(changes) if isinstance(base, Steps) else Steps({**base, **changes})


def _answers(
    base: Mapping[str, Answered], changes: Mapping[str, Answered]
) -> PersistentMap[Answered]:
    if isinstance(base, PersistentMap):
        return base.updated(changes)
    return PersistentMap({**base, **changes})
