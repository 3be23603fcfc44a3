"""What a runbook file holds: the keys of each part as pydantic models, and the whole as read.

The JSON Schema is made from these models. Positions are not here: the loader keeps the tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, WithJsonSchema

from runbook_tui.actions.shared import durations
from runbook_tui.actions.shared.fields import Pattern
from runbook_tui.definition import when as when_
from runbook_tui.definition.plan import Confirm, OnFailure, Undo, Verify, When
from runbook_tui.definition.tree import Map
from state.values import value

ID = r"^[a-z0-9-]{1,64}$"
NAME = r"^[A-Za-z_][A-Za-z0-9_-]*$"


class Keys(BaseModel):
    """Base: unknown keys are errors; names are those of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _seconds(value: object) -> object:
    if isinstance(value, str):
        return durations.seconds(value)
    found = f"{value} has no unit; " if isinstance(value, int | float) else ""
    raise ValueError(f"{found}expected a duration, such as 90s, 1h30m, 500ms or 30d")


Seconds = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(?=\d)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$",
            "description": "a duration such as 90s, 1h30m, 500ms",
        }
    ),
]


def _list_of(value: object) -> object:
    return [value] if isinstance(value, str | int | float) else value


Texts = Annotated[
    list[str],
    BeforeValidator(_list_of),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One text, or a list of them."""

Name = Annotated[str, Field(pattern=NAME)]


class Parameter(Keys):
    """What is asked for before a run begins."""

    prompt: str | None = Field(default=None, description="What the operator is asked for.")
    pattern: Pattern | None = Field(
        default=None, description="Regular expression that the value must match."
    )
    default: Annotated[
        str | None, WithJsonSchema({"type": ["string", "number", "boolean", "null"]})
    ] = Field(default=None, description="The value when none is given.")
    help: str | None = Field(default=None, description="Shown beside the field, in Markdown.")
    choices: list[str] | None = Field(
        default=None, min_length=1, description="The values it may have."
    )
    type: Literal["text", "bool", "host"] = Field(
        default="text", description="`bool` is true or false, `host` a host of the inventory."
    )
    group: str | None = Field(default=None, description="For `host`: the group it must be in.")
    secret: StrictBool = Field(default=False, description="Never shown or journaled.")


class Contact(Keys):
    """Somebody to call."""

    role: str = Field(description="What they are responsible for.")
    name: str = Field(description="Who it is.")
    reach: str = Field(description="How to reach them.")


class RollbackKeys(Keys):
    """The runbook that takes everything back."""

    file: str = Field(min_length=1, description="Its file, relative to this one.")
    with_: dict[Name, str] = Field(
        default_factory=dict,
        alias="with",
        description="Values for its parameters; others take this run's value of the same name.",
    )
    instead_of_undo: StrictBool = Field(
        default=False, description="Run only that runbook, and no step's `undo`."
    )


class Header(Keys):
    """The top level of a runbook file."""

    runbook: str = Field(min_length=1, description="The name of the runbook.")
    version: Annotated[Literal[1], Field(description="The version of the format.")] = 1
    description: str = Field(default="", description="What it does, in a sentence.")
    environments: str | dict[str, Any] | None = Field(
        default=None, description="The environments, or the file that holds them."
    )
    rollback: str | RollbackKeys | None = Field(
        default=None, description="The runbook that takes everything back."
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="What is asked for before a run begins."
    )
    phases: list[Any] = Field(min_length=1, description="The phases, in order.")
    contacts: list[Contact] = Field(default_factory=list, description="Whom to call.")
    links: dict[str, str] = Field(default_factory=dict, description="Dashboards: title and URL.")
    cadence: Literal["daily", "weekly", "monthly"] | None = Field(
        default=None, description="How often it is due."
    )
    requires: dict[str, str] = Field(
        default_factory=dict, description="Tools with the version needed, such as `>=2.30`."
    )
    outputs: dict[Name, str] = Field(
        default_factory=dict, description="What it gives back to a runbook that includes it."
    )


class RetryKeys(Keys):
    """When a step is tried again by itself."""

    times: int = Field(ge=0, le=1000, strict=True, description="How often, after the first try.")
    delay: Seconds = Field(
        default=1.0,
        description="How long to wait before the first retry.",
        json_schema_extra={"default": "1s"},
    )
    backoff: float = Field(
        default=1.0, ge=1, le=100, description="What the delay is multiplied by each time."
    )
    on: Texts = Field(default_factory=list, description="Causes to retry; without it, all.")


class Approval(Keys):
    """Who must approve."""

    roles: list[str] = Field(default_factory=list, description="Roles, one of which is needed.")
    count: int = Field(default=1, ge=1, strict=True, description="How many people must.")


_ANYBODY = Approval()


class ApprovalKeys(Keys):
    """`confirm: {approval: …}`."""

    approval: Approval


class StepKeys(Keys):
    """What any step may have beside its action."""

    id: str | None = Field(default=None, pattern=ID, description="Unique and stable.")
    name: str | None = Field(default=None, min_length=1, description="What the operator reads.")
    ref: Texts = Field(default_factory=list, description="The checklist items it proves.")
    help: str | None = Field(default=None, description="Shown beside the step, in Markdown.")
    when: Annotated[Any, WithJsonSchema(when_.SCHEMA)] = Field(
        default=None, description="Conditions; without them the step always runs."
    )
    confirm: Literal["none", "ask", "typed", "approval"] | ApprovalKeys = Field(
        default="none", description="What the operator must do before every attempt."
    )
    timeout: Seconds | None = Field(default=None, gt=0, description="Longest time of one attempt.")
    retries: RetryKeys | None = Field(default=None, description="Retries by itself.")
    on_failure: OnFailure = Field(default="ask", description="What a failure leads to.")
    verify: dict[str, Any] | None = Field(
        default=None, description="A look at the effect, after the step and on resume."
    )
    undo: dict[str, Any] | None = Field(
        default=None, description="An action that takes the effect back."
    )
    no_return: str | None = Field(
        default=None, min_length=1, description="Why a rollback is incomplete from here on."
    )
    usually: Seconds | None = Field(default=None, description="How long it usually takes.")
    in_: str | None = Field(
        default=None, alias="in", min_length=1, description="The step's environment."
    )
    links: dict[str, str] = Field(default_factory=dict, description="Title and URL.")
    secret_files: Texts = Field(
        default_factory=list, description="Secrets whose value the step finds in a private file."
    )
    background: StrictBool = Field(
        default=False, description="Let the next steps begin; for read-only steps."
    )
    fail_fast: StrictBool = Field(
        default=False, description="With `parallel`: stop the running ones when one fails."
    )


class PhaseKeys(Keys):
    """A named group of steps."""

    phase: str = Field(min_length=1, description="Its name.")
    steps: list[Any] = Field(min_length=1, description="Its steps, in order.")
    when: Annotated[Any, WithJsonSchema(when_.SCHEMA)] = Field(
        default=None, description="Conditions for all of its steps."
    )
    in_: str | None = Field(
        default=None, alias="in", min_length=1, description="The environment of its steps."
    )


class EachKeys(Keys):
    """What the steps of `each` are repeated for."""

    host: str | list[str] | None = Field(default=None, description="A group, or hosts.")
    item: str | list[str] | None = Field(default=None, description="Texts, or a reference to one.")
    batch: int | str = Field(default=1, description="How many at a time: a number or a share.")
    max_failures: int = Field(default=0, ge=0, description="How many may fail.")


class IncludeKeys(Keys):
    """Another runbook, run as a part of this one."""

    file: str = Field(min_length=1, description="Its file, relative to this one.")
    with_: dict[Name, str] = Field(
        default_factory=dict, alias="with", description="Values for its parameters."
    )


@value(frozen=True, slots=True)
class Step:
    """A step as read. `kind` is an action, or `parallel`, `each`, `include`.

    `options` are the action's as written, a bare scalar put under the option it stands for.
    `children` are the steps of a group. `node` is where it stands in the file.
    """

    id: str
    name: str
    kind: str
    options: Map
    keys: StepKeys
    node: Map
    when: When | None = None
    verify: Verify | None = None
    undo: Undo | None = None
    children: tuple[Step, ...] = ()
    sound: bool = True
    """False when the action's options hold an error, so that nothing follows from them."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase as read."""

    name: str
    steps: tuple[Step, ...]
    node: Map
    when: When | None = None
    in_: str | None = None


@dataclass(frozen=True, slots=True)
class Runbook:
    """A runbook as read: its top level, parameters, and phases."""

    header: Header
    parameters: Mapping[str, Parameter]
    phases: tuple[Phase, ...]
    node: Map
    broken: frozenset[str] = frozenset()
    """Ids of steps that could not be read."""

    @property
    def name(self) -> str:
        """The runbook's name."""
        return self.header.runbook

    @property
    def rollback(self) -> RollbackKeys | None:
        """The rollback runbook in its long spelling."""
        given = self.header.rollback
        return RollbackKeys(file=given) if isinstance(given, str) else given

    def steps(self) -> Iterator[Step]:
        """Yield all steps in order, each group before its own steps."""
        for phase in self.phases:
            for step in phase.steps:
                yield step
                yield from step.children


def confirm_of(keys: StepKeys) -> Confirm:
    """Return the kind of confirmation."""
    return keys.confirm if isinstance(keys.confirm, str) else "approval"


def approval_of(keys: StepKeys) -> Approval:
    """Return who must approve the step, if somebody must."""
    return _ANYBODY if isinstance(keys.confirm, str) else keys.confirm.approval


def relative(base: str, file: str) -> str:
    """Return the name in `sources` of a file named in another."""
    return normpath(str(PurePosixPath(base).parent / file))
