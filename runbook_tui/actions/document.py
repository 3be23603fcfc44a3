"""Writes the page of the actions from their models: `python -m runbook_tui.actions.document FILE`.

A test holds docs/actions.md to be what this writes, so no option is without its words there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from runbook_tui.actions import registry
from runbook_tui.actions.api import Spec
from runbook_tui.actions.shared.fields import Duration, Pattern, Scalar
from runbook_tui.actions.shared.limit_fields import Figure

HEAD: Final = """\
# Actions

A step performs one action: `KIND: OPTIONS`. This page is made from the models that check the
options (`python -m runbook_tui.actions.document docs/actions.md`).

References (`${{ … }}`) may stand in every option; the value is checked once it is filled in. A
duration is written like `90s`, `1h30m`, `500ms` or `30d`, a figure like `0.1%`, `500ms`, `2s` or
`90`, a pattern is a regular expression of Python's `re`.

What proves a step's effect is of one of three sorts: **state** (the goal holds, whoever caused it),
**mark** (what is found carries this run), or none but the step's own `verify`.
"""

_NAMED: Final[tuple[tuple[object, str], ...]] = (
    (Duration, "duration"),
    (Pattern, "pattern"),
    (Scalar, "text"),
    (Figure, "figure"),
)
_PLAIN: Final[Mapping[object, str]] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "true or false",
}
_PROOFS: Final = {
    "state": "state: the goal holds, whoever caused it.",
    "mark": "mark: what is found carries this run.",
    "none": "none of its own; give the step a `verify`.",
}


def text() -> str:
    """Return the page, all built-in actions in alphabetical order."""
    return "\n".join([HEAD, *(_section(registry.spec(kind)) for kind in registry.BUILT_IN)])


def step_of(spec: Spec) -> dict[str, Any]:
    """Return the example of an action as data."""
    step: dict[str, Any] = yaml.safe_load(spec.example)
    return step


def _section(spec: Spec) -> str:
    lines = [f"## {spec.kind}", "", spec.summary, ""]
    if spec.shorthand is not None:
        lines += [
            f"Short form: `{spec.kind}: VALUE` is `{spec.kind}: {{{spec.shorthand}: VALUE}}`.",
            "",
        ]
    lines += _table(spec.options)
    for model in _nested(spec.options):
        words = (model.__doc__ or "").strip().splitlines()[0]
        lines += [f"### {spec.kind}: {model.__name__}", "", words, "", *_table(model)]
    lines += ["", *_facts(spec), "", "```yaml", spec.example.rstrip(), "```", ""]
    return "\n".join(lines)


def _facts(spec: Spec) -> Iterator[str]:
    options = step_of(spec).get(spec.kind)
    given = options if isinstance(options, Mapping) else {spec.shorthand or "": options}
    filled = spec.options.model_validate(given).model_dump(mode="json")
    outputs = ", ".join(f"`{name}`" for name in spec.outputs(filled)) or "none"
    yield f"- Outputs of the example: {outputs}."
    if spec.records:
        yield "- Proof: the record that it keeps of its own end; `verify` tells of its effect."
    elif spec.changes:
        yield f"- Proof: {_PROOFS[spec.proof]}"
    else:
        yield "- Changes nothing."
    if spec.causes:
        causes = ", ".join(f"`{each}`" for each in spec.causes)
        yield f"- Causes for `retries: {{on: …}}`: {causes}."
    if tools := spec.tools(filled):
        needs = ", ".join(f"`{tool}` (Debian: {package})" for tool, package in tools.items())
        yield f"- Needs {needs}."


def _table(model: type[BaseModel]) -> list[str]:
    hints = get_type_hints(model, include_extras=True)
    rows = ["| option | what | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        shown = field.alias or name
        what = _what(hints[name]).replace("|", "\\|")
        words = (field.description or "").replace("|", "\\|")
        rows.append(f"| `{shown}` | {what} | {_default(field)} | {words} |")
    return [*rows, ""]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None or default in ([], {}, "") or isinstance(default, BaseModel):
        return ""
    words = {True: "true", False: "false"}.get(default) if isinstance(default, bool) else default
    return f"`{', '.join(map(str, words)) if isinstance(words, list) else words}`"


def _what(hint: object) -> str:
    """Return a type in words."""
    for known, name in _NAMED:
        if hint == known:
            return name
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _what(args[0])
    if origin in {Union, UnionType}:
        parts = [_what(part) for part in args if part is not type(None)]
        return " or ".join(dict.fromkeys(parts))
    if origin is Literal:
        return " or ".join(f"`{word}`" for word in args)
    if origin is list:
        return f"list of {_what(args[0])}"
    if origin is dict:
        return f"{_what(args[1])} by name"
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint.__name__
    return _PLAIN.get(hint, "any value")


def _nested(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the models that a model's options are made of, each once, in order."""
    found: dict[type[BaseModel], None] = {}
    for hint in get_type_hints(model, include_extras=True).values():
        for inner in _models(hint):
            if not _has_section(inner):
                found |= {inner: None, **dict.fromkeys(_nested(inner))}
    return list(found)


def _models(hint: object) -> Iterator[type[BaseModel]]:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        yield hint
    for part in get_args(hint):
        yield from _models(part)


def _has_section(model: type[BaseModel]) -> bool:
    return any(registry.spec(kind).options is model for kind in registry.BUILT_IN)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
