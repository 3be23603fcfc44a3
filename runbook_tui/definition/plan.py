"""A runbook made ready for one run: environment chosen, overlays applied, order fixed.

Pure data: what the engine, the screens and `runbook plan` work from. References in options stay
as written; they are filled in when a step becomes ready.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from state.values import value

if TYPE_CHECKING:
    from runbook_tui.definition.model import Parameter

Confirm = Literal["none", "ask", "typed", "approval"]
OnFailure = Literal["ask", "abort", "continue", "rollback"]

INCLUDE = "include"
"""The action of the line that stands for an included runbook: it comes after its steps."""


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

    def named(self, name: str) -> tuple[PlanHost, ...]:
        """Return the hosts of a group, or the one host of that name; empty without either."""
        if name in self.groups:
            return self.groups[name]
        for hosts in self.groups.values():
            for host in hosts:
                if host.name == name:
                    return (host,)
        return ()


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


@value(frozen=True, slots=True)
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
    undoes: str | None = None
    """In a rollback: the step of the base run whose effect this one takes back."""
    secret_files: tuple[str, ...] = ()
    background: bool = False
    """The next steps begin beside it; a `join`, or the end of the run, awaits it."""
    roles: tuple[str, ...] = ()
    """Whose approval counts (`confirm: approval`); none means anybody's but the driver's."""
    approvers: int = 1
    """How many people must approve."""
    inside: str | None = None
    """The include that it is a part of."""
    instance: str | None = None
    """Of a step that `each` repeats: the host or item that it is for, as its id has it."""
    host: PlanHost | None = None
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One host or item of an `each`: `name` stands in ids, `value` is the host's or the item."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FixedList:
    """What an `each` is repeated for, once that is fixed: `batch` at a time, in this order."""

    instances: tuple[Instance, ...]
    batch: int = 1
    max_failures: int = 0


@dataclass(frozen=True, slots=True)
class Each:
    """How a group repeats its steps. `head` is the group's own line, as a step without an action.

    `names` are hosts and groups, or items, as written; one text with a reference may stand for
    several items. `templates` are the steps as written; `fixed` is None until the list is fixed.
    """

    head: PlanStep
    over: Literal["host", "item"]
    names: str | tuple[str, ...]
    templates: tuple[PlanStep, ...]
    batch: str = "1"
    max_failures: str = "0"
    fixed: FixedList | None = None


@dataclass(frozen=True, slots=True)
class PlanGroup:
    """Steps under an id and a line of their own.

    They run at the same time; with `each` they are one sequence for each host or item, and before
    its list is fixed the templates stand for them.
    """

    id: str
    name: str
    phase: str
    steps: tuple[PlanStep, ...]
    fail_fast: bool = False
    when: tuple[When, ...] = ()
    inside: str | None = None
    """The include that it is a part of."""
    each: Each | None = None

    @property
    def background(self) -> bool:
        """Whether the next steps begin beside it."""
        return self.each is not None and self.each.head.background

    def sequences(self) -> tuple[tuple[PlanStep, ...], ...]:
        """Return the steps of each instance of an `each`, in order; nothing before it is fixed."""
        if self.each is None or self.each.fixed is None:
            return ()
        length = len(self.each.templates)
        return tuple(
            self.steps[first : first + length] for first in range(0, len(self.steps), length)
        )


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
class Handed:
    """What an included runbook's parameter is given: a text as written where it is included, to be
    filled in with what `environment` has there; or (not `written`) its default.
    """

    text: str
    environment: str
    parameter: Parameter
    written: bool = True


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
    handed: Mapping[str, Handed] = field(default_factory=dict)
    """The parameters of included runbooks, by `INCLUDE/NAME`."""
    way_back: bool = True
    """False for a rollback itself: it offers no further one."""

    def steps(self) -> Iterator[PlanStep]:
        """Yield the steps in order, those of groups and of included runbooks among them."""
        for phase in self.phases:
            for item in phase.items:
                if isinstance(item, PlanGroup):
                    yield from item.steps
                elif item.action != INCLUDE:
                    yield item

    def groups(self) -> Iterator[PlanGroup]:
        """Yield the groups in order."""
        for phase in self.phases:
            yield from (item for item in phase.items if isinstance(item, PlanGroup))

    def heads(self) -> Iterator[PlanStep]:
        """Yield the lines of the `each` groups, which ask and are answered like steps."""
        yield from (group.each.head for group in self.groups() if group.each is not None)

    def includes(self) -> Iterator[PlanStep]:
        """Yield the lines of included runbooks in order, each after its steps."""
        for phase in self.phases:
            for item in phase.items:
                if isinstance(item, PlanStep) and item.action == INCLUDE:
                    yield item

    def step(self, id_: str) -> PlanStep:
        """Return a step, or the line of an `each` or an include, by its id; KeyError when there is
        none."""
        for step in chain(self.steps(), self.heads(), self.includes()):
            if step.id == id_:
                return step
        raise KeyError(id_)

    def home(self) -> PlanEnvironment:
        """Return the environment that the run was started in."""
        return self.environments[self.environment]
