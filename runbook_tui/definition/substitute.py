"""Putting values where `${{ … }}` stands, in options that are not scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runbook_tui.definition import references
from runbook_tui.definition.references import Ref

Lookup = Callable[[Ref], str | None]
"""Gives a reference's value: None when there is none. May raise MissingValueError itself."""


class MissingValueError(Exception):
    """A reference has no value, or an empty one, and no default: the step must not begin."""

    def __init__(self, ref: Ref, sentence: str | None = None) -> None:
        self.ref = ref
        self.sentence = sentence or f"${{{{ {ref.path} }}}} has no value"
        super().__init__(self.sentence)


def value_of(ref: Ref, lookup: Lookup) -> str:
    """Return what a reference stands for: its value, or its default when that is empty or missing.

    Raises MissingValueError where neither is: `rm -rf "$V/"` never sees an empty one.
    """
    found = lookup(ref)
    if found:
        return found
    if ref.default is not None:
        return ref.default
    if found is None:
        raise MissingValueError(ref)
    raise MissingValueError(ref, f"${{{{ {ref.path} }}}} is empty")


def fill_text(text: str, lookup: Lookup) -> str:
    """Return a text with its references replaced and `$${{` written `${{`."""
    if "${{" not in text:
        return text
    parts: list[str] = []
    at = 0
    for ref in references.find(text):
        parts += [_plain(text[at : ref.start]), value_of(ref, lookup)]
        at = ref.end
    return "".join([*parts, _plain(text[at:])])


def fill(value: Any, lookup: Lookup) -> Any:
    """Return a copy of plain data (dicts, lists, scalars) with all texts filled in; keys stay."""
    if isinstance(value, str):
        return fill_text(value, lookup)
    if isinstance(value, Mapping):
        return {key: fill(inner, lookup) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [fill(inner, lookup) for inner in value]
    return value


def rename(value: Any, names: Mapping[str, str]) -> Any:
    """Return a copy of plain data in which references to parameters have other names."""
    return rewrite(value, lambda ref: names.get(ref.name) if ref.kind == "parameter" else None)


def rewrite(value: Any, path: Callable[[Ref], str | None]) -> Any:
    """Return a copy of plain data in which references have other paths; None: the same."""
    if isinstance(value, Mapping):
        return {key: rewrite(inner, path) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rewrite(inner, path) for inner in value]
    if not isinstance(value, str) or "${{" not in value:
        return value
    parts: list[str] = []
    at = 0
    for ref in references.scan(value)[0]:
        if (other := path(ref)) is not None:
            default = "" if ref.default is None else f' | "{ref.default}"'
            parts += [value[at : ref.start], f"${{{{ {other}{default} }}}}"]
            at = ref.end
    return "".join([*parts, value[at:]])


def holds_reference(value: Any) -> bool:
    """Tell whether a text anywhere in plain data holds a reference."""
    if isinstance(value, str):
        return "${{" in value and bool(references.scan(value)[0])
    if isinstance(value, Mapping):
        return any(holds_reference(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(holds_reference(inner) for inner in value)
    return False


def _plain(text: str) -> str:
    return text.replace("$${{", "${{")
