"""What is known of `manual`: the driver asks, a person answers, no worker is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator

from runbook_tui.actions.api import Row, Spec
from runbook_tui.actions.shared.fields import Options, Pattern

ANSWERS: Final = frozenset({"retry", "verified", "continue", "skip", "undo", "rollback", "abort"})
"""The answers to a failure: no choice may have one of these names."""

DONE: Final = "done"
"""The only choice of a step that names none."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]


class Choice(Options):
    """One answer that the person may give."""

    label: str = Field(description="What the answer says on the screen.")
    then: Literal["next", "end", "rollback", "abort"] = Field(
        default="next",
        description="What happens next: go on; end the run here as succeeded, the rest skipped; "
        "roll back; abort.",
    )
    reason: Literal["required", "optional", "none"] = Field(
        default="none", description="Whether the person must say why."
    )


class RecordField(Options):
    """Something the person writes down; it is kept as evidence and becomes an output."""

    prompt: str = Field(description="What is asked for.")
    pattern: Pattern | None = Field(
        default=None, description="Regular expression that the whole value must match."
    )
    optional: bool = Field(default=False, description="May be left empty.")


class ManualOptions(Options):
    """Options of `manual`."""

    text: str = Field(
        min_length=1, description="What to do and what to look at, in Markdown; shown whole."
    )
    choices: dict[Name, str | Choice] = Field(
        default_factory=dict,
        description="The answers: name and label, or name and `label`, `then`, `reason`. "
        "Without them there is one, `done`.",
    )
    record: dict[Name, RecordField] = Field(
        default_factory=dict, description="What the person must write down before going on."
    )

    @field_validator("choices")
    @classmethod
    def _no_failure_answers(cls, choices: dict[str, str | Choice]) -> dict[str, str | Choice]:
        taken = sorted(ANSWERS & choices.keys())
        if taken:
            raise ValueError(f"{taken[0]!r} is an answer to a failure and cannot name a choice")
        return choices

    @field_validator("record")
    @classmethod
    def _no_built_in(cls, record: dict[str, RecordField]) -> dict[str, RecordField]:
        if "choice" in record:
            raise ValueError("'choice' is the answer itself and cannot name a record")
        return record


def choices(options: Mapping[str, Any]) -> dict[str, Choice]:
    """Return the choices of a step in order, short spellings written out."""
    named: Mapping[str, Any] = options.get("choices") or {DONE: "Done"}
    return {
        name: Choice(label=given) if isinstance(given, str) else Choice.model_validate(given)
        for name, given in named.items()
    }


def _outputs(options: Mapping[str, Any]) -> tuple[str, ...]:
    return ("choice", *(options.get("record") or {}))


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    lines = str(options.get("text") or "").strip().splitlines() or [""]
    rows = [Row("A person", lines[0]), *(Row("", line) for line in lines[1:])]
    if names := ", ".join(options.get("choices") or ()):
        rows.append(Row("Chooses", names))
    if names := ", ".join(options.get("record") or ()):
        rows.append(Row("Records", names))
    return tuple(rows)


def _simulate(options: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"would ask: {line}" for line in str(options.get("text") or "").splitlines())


SPEC = Spec(
    kind="manual",
    summary="Asks a person to do or decide something, and keeps what they record.",
    options=ManualOptions,
    perform="",
    changes=False,
    proof="mark",
    worker=False,
    probes=False,
    shorthand="text",
    outputs=_outputs,
    describe=_describe,
    simulate=_simulate,
    example="""\
id: decide
name: Decide on the failed member
manual:
  text: |
    Look at the member's log. Is its disk broken?
  choices:
    replace: Replace it
    leave: {label: Leave it for tomorrow, then: end, reason: required}
  record:
    ticket: {prompt: Ticket URL, pattern: 'https://\\S+'}
""",
)
