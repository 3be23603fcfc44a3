"""Types of options that several actions share. Read by the driver only: workers know no pydantic.

A value that holds a reference (`${{ … }}`) passes as it is: it is checked again once filled in.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from runbook_tui.actions.shared import durations

REFERENCE = "${{"


class Options(BaseModel):
    """Base of every action's options: unknown keys are errors, names are those of the file."""

    model_config = ConfigDict(
        extra="forbid", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )


def _duration(text: str) -> str:
    if REFERENCE not in text:
        durations.seconds(text)
    return text


def _pattern(text: str) -> str:
    if REFERENCE not in text:
        try:
            re.compile(text)
        except re.error as fault:
            raise ValueError(f"{text!r} is no regular expression: {fault}") from fault
    return text


def _scalar(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return value


Duration = Annotated[
    str,
    AfterValidator(_duration),
    WithJsonSchema({"type": "string", "description": "a duration such as 90s, 1h30m, 500ms"}),
]
"""A duration as written; `durations.seconds` gives its seconds."""

Pattern = Annotated[
    str,
    AfterValidator(_pattern),
    WithJsonSchema({"type": "string", "format": "regex"}),
]
"""A regular expression of Python's `re`."""

Scalar = Annotated[
    str,
    BeforeValidator(_scalar),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
"""Text; a number or a truth value is taken as its spelling."""
