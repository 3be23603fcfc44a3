"""The JSON Schema of runbook files, made from the models: for editors, and for `runbook schema`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from runbook_tui.actions import registry
from runbook_tui.actions.check.spec import LookOptions
from runbook_tui.definition import when
from runbook_tui.definition.environments import EnvironmentKeys
from runbook_tui.definition.model import (
    EachKeys,
    Header,
    IncludeKeys,
    Parameter,
    PhaseKeys,
    StepKeys,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILE = Path(__file__).parents[2] / "runbooks" / "runbook.schema.json"
"""Where the schema is checked in; a test holds it to be current."""

_REFERENCE = {"type": "string", "pattern": r"\$\{\{"}
_NARROW = frozenset({"pattern", "enum", "const", "minLength"})
_TEXT_SCALAR = {"type": ["string", "number"]}


def schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of a runbook file."""
    definitions: dict[str, Any] = {}
    root = _model(Header, definitions)
    step = _step(definitions)
    definitions["step"] = step
    definitions["phase"] = _model(PhaseKeys, definitions)
    definitions["phase"]["properties"]["steps"] = _list("step")
    definitions["parameter"] = _model(Parameter, definitions)
    definitions["environment"] = _model(EnvironmentKeys, definitions)
    definitions["when"] = when.SCHEMA
    for holder in (definitions["step"], definitions["phase"]):
        holder["properties"]["when"] = {**_described(holder["properties"]["when"]), **_ref("when")}
    properties = root["properties"]
    properties["phases"] = _list("phase")
    properties["parameters"] = {
        "type": "object",
        "description": properties["parameters"]["description"],
        "additionalProperties": {"anyOf": [_ref("parameter"), {"type": "null"}]},
    }
    properties["environments"] = {
        "description": properties["environments"]["description"],
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "additionalProperties": {"anyOf": [_ref("environment"), {"type": "null"}]},
            },
        ],
    }
    found = {"$schema": DIALECT, "title": "A runbook", **root}
    found["$defs"] = {name: definitions[name] for name in sorted(definitions)}
    return found


def text() -> str:
    """Return the schema as it is checked in and printed."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name), "minItems": 1}


def _model(
    model: type[BaseModel], definitions: dict[str, Any], *, references: bool = False
) -> dict[str, Any]:
    """Return a model's schema; the models inside it go to the definitions, by their name."""
    made = model.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
    for name, inner in made.pop("$defs", {}).items():
        definitions[name] = _widened(_tidy(inner), references=references)
    wide: dict[str, Any] = _widened(_tidy(made), references=references)
    return wide


def _tidy(made: dict[str, Any]) -> dict[str, Any]:
    """Drop what pydantic derives from Python: titles of fields and docstrings of classes."""
    made.pop("title", None)
    made.pop("description", None)
    for field in made.get("properties", {}).values():
        field.pop("title", None)
        if field.get("default", "") is None:
            del field["default"]
    return made


def _step(definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a step: keys of any step, and exactly one action or group."""
    made = _model(StepKeys, definitions)
    properties = made["properties"]
    actions = {kind: _action(kind, definitions) for kind in registry.kinds()}
    definitions["look"] = _model(LookOptions, definitions, references=True)
    properties["verify"] = {**_described(properties["verify"]), **_ref("look")}
    definitions["undo"] = {
        "type": "object",
        "properties": dict(actions),
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
    properties["undo"] = {**_described(properties["undo"]), **_ref("undo")}
    groups = {
        "parallel": {**_list("step"), "description": "Steps that run at the same time."},
        "each": _either(_model(EachKeys, definitions, references=True)),
        "include": _either(_model(IncludeKeys, definitions)),
    }
    properties.update(actions)
    properties.update(groups)
    properties["steps"] = {**_list("step"), "description": "The steps of `each`."}
    made["oneOf"] = [{"required": [kind]} for kind in [*actions, *groups]]
    made["dependentRequired"] = {"each": ["steps"], "steps": ["each"]}
    return made


def _described(made: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": made["description"]} if "description" in made else {}


def _either(made: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"type": "string"}, made]}


def _action(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    spec = registry.spec(kind)
    made = definitions[f"action-{kind}"] = _model(spec.options, definitions, references=True)
    if spec.needs_hosts:
        # Inside `each: {host: …}` they mean this host.
        made["required"] = [name for name in made["required"] if name != spec.hosts]
    whole = _ref(f"action-{kind}")
    if spec.shorthand is None:
        return {"description": spec.summary, **whole}
    return {"description": spec.summary, "anyOf": [dict(_TEXT_SCALAR), whole]}


def _widened(made: Any, *, references: bool = False) -> Any:
    """Let a number stand for text and, with `references`, a reference for a value of any type."""
    if isinstance(made, list):
        return [_widened(inner, references=references) for inner in made]
    if not isinstance(made, dict):
        return made
    wide = dict(made)
    if "properties" in made:
        wide["properties"] = {
            key: _widened(one, references=references) for key, one in made["properties"].items()
        }
    for key in ("additionalProperties", "items", "anyOf", "oneOf", "allOf"):
        if isinstance(made.get(key), dict | list):
            wide[key] = _widened(made[key], references=references)
    return _scalar(wide, references=references) if "type" in made else wide


def _scalar(made: dict[str, Any], *, references: bool) -> dict[str, Any]:
    kind = made["type"]
    narrow = kind == "string" and bool(_NARROW & made.keys())
    if kind == "string" and not narrow:
        return {**made, "type": ["string", "number"]}
    if not references or not (narrow or kind in ("integer", "number", "boolean")):
        return made
    rest: dict[str, Any] = {key: made[key] for key in ("description", "default") if key in made}
    bare = {key: value for key, value in made.items() if key not in rest}
    return {**rest, "anyOf": [bare, dict(_REFERENCE)]}
