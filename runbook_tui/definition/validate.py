"""Checking a part of the tree against a pydantic model, in our words and with positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runbook_tui.definition.problems import Problem, did_you_mean
from runbook_tui.definition.tree import Map, Seq, Spot, describe, spelling, spot, stray

MAX_ERRORS = 100
"""How many errors of one part are told: nobody reads more, and making them takes time."""

M = TypeVar("M", bound=BaseModel)

_EXPECTED = {
    "string_type": "text",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "none_required": "nothing",
}


def validate(
    model: type[M],
    value: Mapping[str, Any],
    problems: list[Problem],
    *,
    roots: Sequence[Map] = (),
    references: bool = False,
) -> M | None:
    """Return the model's instance, or None after adding what is wrong to `problems`.

    Numbers where text is wanted become their spelling, in `value` too. `roots` are the mappings
    of the file that `value` was merged from (itself, when empty), the last wins. With `references`
    a value that holds `${{` is taken as it is: it is checked again once filled in.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
    trees = tuple(roots) or ((value,) if isinstance(value, Map) else ())
    if _spell_numbers(details, value, trees):
        try:
            return model.model_validate(value)
        except ValidationError as error:
            details = error.errors(include_url=False)
    found = [_locate(trees, detail) for detail in details]
    if references:
        found = [item for item in found if not _waits(item)]
    problems += _problems(found[:MAX_ERRORS], model)
    return None


class _Located(NamedTuple):
    """An error with the part of its location that the tree has (`path`), and what is left."""

    detail: ErrorDetails
    path: tuple[str | int, ...]
    container: Map | Seq | None
    rest: tuple[str | int, ...]


def _locate(trees: Sequence[Map], detail: ErrorDetails) -> _Located:
    """Walk an error's location down the tree, leaving out the names of union members."""
    loc = detail["loc"]
    container: Map | Seq | None = _root(trees, loc)
    path: list[str | int] = []
    rest: list[str | int] = []
    inside: Any = container
    for key in loc:
        known = (isinstance(inside, Map) and key in inside.marks) or (
            isinstance(inside, Seq) and isinstance(key, int) and key < len(inside)
        )
        if not known:
            rest.append(key)
            continue
        container = inside
        path.append(key)
        rest = []
        inside = inside[key]
    if detail["type"] == "missing" and isinstance(inside, Map | Seq):
        container = inside
    return _Located(detail, tuple(path), container, tuple(rest))


def _root(trees: Sequence[Map], loc: tuple[str | int, ...]) -> Map | None:
    if loc:
        for tree in reversed(trees):
            if loc[0] in tree.marks:
                return tree
    return trees[0] if trees else None


def _spell_numbers(details: list[ErrorDetails], value: Any, trees: Sequence[Map]) -> bool:
    """Write numbers as the file spells them where text is wanted; tell whether there were any."""
    changed = False
    for detail in details:
        given = detail["input"]
        number = isinstance(given, int | float) and not isinstance(given, bool)
        if detail["type"] != "string_type" or not number:
            continue
        where = _locate(trees, detail)
        if where.container is None or not where.path:
            continue
        text = spelling(where.container, where.path[-1])
        where.container[where.path[-1]] = text  # type: ignore[index]  # a key of just this container
        if len(where.path) == 1 and isinstance(value, dict):
            value[str(where.path[0])] = text
        changed = True
    return changed


def _waits(item: _Located) -> bool:
    """Tell whether an error is about a value that a reference will give."""
    if item.detail["type"] == "extra_forbidden":
        return False
    return _has_reference(item.detail["input"]) and item.detail["type"] != "missing"


def _has_reference(value: object) -> bool:
    if isinstance(value, str):
        return "${{" in value
    if isinstance(value, Mapping):
        return any(_has_reference(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(_has_reference(inner) for inner in value)
    return False


def _problems(found: list[_Located], model: type[BaseModel]) -> Iterator[Problem]:
    """Give one problem a place: of a union's errors the deepest say most."""
    above = {item.path[:depth] for item in found for depth in range(len(item.path))}
    by_path: dict[tuple[object, ...], list[_Located]] = {}
    for item in found:
        if item.detail["type"] == "missing" or item.path not in above:
            named = item.rest if item.detail["type"] == "missing" else ()
            by_path.setdefault((*item.path, *named), []).append(item)
    for items in by_path.values():
        yield _problem(items, model)


def _problem(items: list[_Located], model: type[BaseModel]) -> Problem:
    first = items[0]
    kind = first.detail["type"]
    key = first.path[-1] if first.path else None
    if first.container is None:
        raise ValueError(f"{model.__name__}: {first.detail['msg']}")
    if kind == "missing":
        name = str(first.rest[-1]) if first.rest else str(first.detail["loc"][-1])
        owner = f"{_name(first.path)} needs" if first.path else "missing key"
        return _place_of(first).error("missing-key", f'{owner} "{name}"')
    if kind == "extra_forbidden" and isinstance(first.container, Map):
        name = str(key)
        words = _known_keys(model, first.detail["loc"][:-1])
        place = spot(first.container, name, of_key=True)
        hint = stray(first.container, name) or did_you_mean(name, words)
        return place.error("unknown-key", f'unknown key "{name}"', hint)
    place = spot(first.container, key)
    expected = [
        _EXPECTED[item.detail["type"]] for item in items if item.detail["type"] in _EXPECTED
    ]
    if len(expected) == len(items):
        said = f"expected {' or '.join(dict.fromkeys(expected))}"
        hint = _advice(first.detail["input"], expected)
        return place.error("type", f"{said}, found {describe(first.detail['input'])}", hint)
    return place.error("value", *_sentence(items))


def _place_of(item: _Located) -> Spot:
    """Return the key that names the incomplete mapping, or the mapping itself."""
    container = item.container
    if isinstance(container, Map | Seq):
        return spot(container)
    raise ValueError("nothing to point at")


def _sentence(items: list[_Located]) -> tuple[str, str]:
    others = [item for item in items if item.detail["type"] not in _EXPECTED]
    detail = others[0].detail
    given = detail["input"]
    context = detail.get("ctx", {})
    match detail["type"]:
        case "value_error":
            return str(context.get("error", detail["msg"])), ""
        case "literal_error" | "enum":
            words = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            hint = did_you_mean(given, words) if isinstance(given, str) else ""
            return f"expected {', '.join(words)}; found {describe(given)}", hint
        case "string_pattern_mismatch":
            return f"{describe(given)} does not have the form {context['pattern']}", ""
        case "string_too_short" | "too_short":
            return "must not be empty", ""
        case _:
            said = detail["msg"].removeprefix("Input ").removeprefix("Value error, ")
            return f"{describe(given)}: {said[:1].lower()}{said[1:]}", ""


def _advice(given: object, expected: list[str]) -> str:
    if "text" in expected and isinstance(given, bool):
        return "put quotes round it to make it text"
    if "true or false" in expected and isinstance(given, str):
        return "only true and false are booleans"
    return ""


def _name(path: tuple[str | int, ...]) -> str:
    names = [f'"{key}"' if isinstance(key, str) else f"entry {key + 1}" for key in path]
    return names[-1] if names else ""


def _known_keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """Return the keys that the model at a location knows; candidates of unions together."""
    models = [model]
    for key in loc:
        inner = [
            nested
            for candidate in models
            for name, field in candidate.model_fields.items()
            if key in (name, field.alias)
            for nested in _models(field.annotation)
        ]
        models = inner or models
    keys: list[str] = []
    for candidate in models:
        keys += [field.alias or name for name, field in candidate.model_fields.items()]
    return keys


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for part in get_args(annotation):
        yield from _models(part)
