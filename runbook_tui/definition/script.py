"""Binding a script's references to environment variables: no value is pasted into shell text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbook_tui.definition import references
from runbook_tui.definition.substitute import Lookup, value_of

PREFIX = "RUNBOOK_V_"


@dataclass(frozen=True, slots=True)
class Bound:
    """A script whose references are variable expansions, and the variables with their values."""

    text: str
    variables: Mapping[str, str]


def bind(text: str, lookup: Lookup, first: int = 1) -> Bound:
    """Replace each reference by `${RUNBOOK_V_n}`, numbered from `first`; equal ones share one.

    Raises MissingValueError for a value that is empty or missing and has no default, and
    ReferenceSyntaxError for text that only begins like a reference.
    """
    names: dict[tuple[str, str | None], str] = {}
    variables: dict[str, str] = {}
    parts: list[str] = []
    at = 0
    for ref in references.find(text):
        key = (ref.path, ref.default)
        if key not in names:
            names[key] = f"{PREFIX}{first + len(names)}"
            variables[names[key]] = value_of(ref, lookup)
        parts += [text[at : ref.start], f"${{{names[key]}}}"]
        at = ref.end
    parts.append(text[at:])
    return Bound("".join(part.replace("$${{", "${{") for part in parts), variables)
