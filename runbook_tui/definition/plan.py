"""A runbook made ready for one run: environment chosen, overlays applied, order fixed.

Pure data: what the engine, the screens and `runbook plan` work from. References in options stay
as written; they are filled in when a step becomes ready.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Confirm = Literal["none", "ask", "typed", "approval"]
OnFailure = Literal["ask", "abort", "continue", "rollback"]


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret is read from: `env file command keyring prompt`."""

    name: str
    kind: Literal["env", "file", "command", "keyring", "prompt"]
    value: str


@dataclass(frozen=True, slots=True)
class PlanHost:
    """A host of the inventory. `group` names are in `PlanEnvironment.groups`."""

    name: str
    user: str | None
    address: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class PlanEnvironment:
    """An environment with defaults merged in. A runbook without environments gets an empty one."""

    name: str
    protected: bool
    lock: str
    vars: Mapping[str, str]
    groups: Mapping[str, tuple[PlanHost, ...]]
    secrets: Mapping[str, SecretSource]
    ssh_config: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """One `cond` of FORMAT's `when`.

    `value` is a reference path with `default`, or `step` names a step. Exactly one of the tests
    (`truth`, `is_`, `not_`, `in_`, `set_`, `chose`, `status`) is given; `truth` is the bare form.
    """

    value: str | None = None
    default: str | None = None
    step: str | None = None
    truth: bool = False
    is_: str | None = None
    not_: str | None = None
    in_: tuple[str, ...] | None = None
    set_: bool | None = None
    chose: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class When:
    """Conditions joined by all or any. Those of phase and group are and-ed: see `PlanStep.when`."""

    conditions: tuple[Condition, ...]
    any: bool = False


@dataclass(frozen=True, slots=True)
class Retries:
    """`times` counts retries after the first try; `delay` in seconds, multiplied by `backoff`."""

    times: int
    delay: float = 1.0
    backoff: float = 1.0
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Undo:
    """An author's way back for one step: an action and its options."""

    action: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verify:
    """A read-only look: an action kind (`run ssh sql smoke …`) and its options."""

    action: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step with an action. `when` holds one entry a level (phase, group, step), all needed."""

    id: str
    name: str
    phase: str
    action: str
    options: Mapping[str, Any]
    environment: str
    group: str | None = None
    refs: tuple[str, ...] = ()
    when: tuple[When, ...] = ()
    confirm: Confirm = "none"
    timeout: float | None = None
    retries: Retries | None = None
    on_failure: OnFailure = "ask"
    verify: Verify | None = None
    undo: Undo | None = None
    no_return: str | None = None
    help: str | None = None
    usually: float | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    overlaid: tuple[str, ...] = ()
    """Options that came from the environment's overlay."""
    beyond: str | None = None
    """What this program cannot run yet (`each`, `include`, `approval`), or None."""
    undoes: str | None = None
    """In a rollback: the step of the base run whose effect this one takes back."""
    secret_files: tuple[str, ...] = ()
    background: bool = False
    """The next steps begin beside it; a `join`, or the end of the run, awaits it."""


@dataclass(frozen=True, slots=True)
class PlanGroup:
    """Steps that run at the same time, with an id and a line of their own."""

    id: str
    name: str
    phase: str
    steps: tuple[PlanStep, ...]
    fail_fast: bool = False
    when: tuple[When, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanPhase:
    """A named part of the run."""

    name: str
    items: tuple[PlanStep | PlanGroup, ...]


@dataclass(frozen=True, slots=True)
class PlanParameter:
    """A parameter with its value for this run; a secret value stands here and nowhere else."""

    name: str
    value: str
    prompt: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class RollbackRunbook:
    """The `rollback:` runbook: file name in `sources`, values for its parameters."""

    file: str
    given: Mapping[str, str] = field(default_factory=dict)
    instead_of_undo: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to call."""

    role: str
    name: str
    reach: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run needs to know of its definition."""

    runbook: str
    description: str
    file: str
    environment: str
    parameters: Mapping[str, PlanParameter]
    phases: tuple[PlanPhase, ...]
    environments: Mapping[str, PlanEnvironment]
    sources: Mapping[str, bytes]
    """File name -> bytes as read, of the runbook, its environments and its rollback runbook."""
    rollback: RollbackRunbook | None = None
    contacts: tuple[Contact, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    requires: Mapping[str, str] = field(default_factory=dict)
    cadence: str | None = None
    way_back: bool = True
    """False for a rollback itself: it offers no further one."""

    def steps(self) -> Iterator[PlanStep]:
        """Yield the steps in order, those of groups included."""
        for phase in self.phases:
            for item in phase.items:
                if isinstance(item, PlanGroup):
                    yield from item.steps
                else:
                    yield item

    def groups(self) -> Iterator[PlanGroup]:
        """Yield the groups in order."""
        for phase in self.phases:
            yield from (item for item in phase.items if isinstance(item, PlanGroup))

    def step(self, id_: str) -> PlanStep:
        """Return a step by its id; KeyError when there is none."""
        for step in self.steps():
            if step.id == id_:
                return step
        raise KeyError(id_)

    def home(self) -> PlanEnvironment:
        """Return the environment that the run was started in."""
        return self.environments[self.environment]
