"""The type of a limit among options."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from runbook_tui.actions.shared import limits
from runbook_tui.actions.shared.fields import REFERENCE


def _as_text(value: object) -> object:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value}" if plain else value


def _check(text: str) -> str:
    if REFERENCE not in text:
        limits.figure(text)
    return text


Figure = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_check),
    WithJsonSchema(
        {"type": ["string", "number"], "description": "a figure such as 0.1%, 500ms, 2s, 90"}
    ),
]
"""A figure as written; `limits.figure` gives its number."""
