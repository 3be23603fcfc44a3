"""Payload dataclasses to and from plain JSON data, strictly: no field missing, none unknown.

The field types of `events` are the schema: a table is made from them once, so that reading an event
costs a look-up for each field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from types import UnionType
from typing import Final, Union, get_args, get_origin, get_type_hints

from state import events, json_value
from state.errors import CodecError
from state.events import Payload
from state.json_value import Json

KINDS: Final[Mapping[str, type[Payload]]] = {cls.kind: cls for cls in get_args(Payload)}


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    types: tuple[type, ...]
    required: bool
    is_tuple: bool


def to_data(payload: Payload) -> dict[str, Json]:
    """Return the payload's fields as plain JSON: dicts, lists, text, numbers, booleans, None.

    Raises CodecError for a value that JSON cannot hold exactly.
    """
    return {
        field.name: plain(getattr(payload, field.name)) for field in _FIELDS[payload.kind].values()
    }


def from_data(kind: str, data: Mapping[str, Json]) -> Payload:
    """Return the payload that `data` describes. Raises CodecError when it is not one of ours."""
    table = _FIELDS.get(kind)
    if table is None:
        raise CodecError(f"an event of the unknown kind {kind!r}")
    values: dict[str, object] = {}
    for name, value in data.items():
        field = table.get(name)
        if field is None:
            raise CodecError(f"{kind} has the unknown field {name!r}")
        if type(value) not in field.types:
            raise CodecError(f"{kind}.{name} is {type(value).__name__}")
        values[name] = tuple(value) if field.is_tuple and isinstance(value, list) else value
    if len(values) < len(table):
        for name, field in table.items():
            if field.required and name not in values:
                raise CodecError(f"{kind} lacks the field {name!r}")
    return KINDS[kind](**values)  # type: ignore[arg-type]  # checked against the table above


def plain(value: object) -> Json:
    """Return `value` as the JSON reader would give it back. Raises CodecError if it cannot be."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return _plain_text(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise CodecError("a number that is not finite cannot be journaled")
        return float(value)
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    raise CodecError(f"a {type(value).__name__} cannot be journaled")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise CodecError(f"a mapping with the key {key!r} cannot be journaled")
    return _plain_text(key)


def _plain_text(text: str) -> str:
    if text.isascii():
        return str(text)
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise CodecError(f"text with a lone surrogate cannot be journaled: {text!r}") from problem
    return str(text)


_JSON_TYPES: Final[Mapping[object, tuple[type, ...]]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: (float, int),
    type(None): (type(None),),
    tuple: (list, tuple),
    Mapping: (dict,),
}


def _types(hint: object) -> tuple[type, ...]:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return tuple(one for part in get_args(hint) for one in _types(part))
    found = _JSON_TYPES.get(hint if origin is None else origin)
    return found if found is not None else _JSON_TYPES[Mapping]


def _table(cls: type[Payload]) -> dict[str, _Field]:
    hints = get_type_hints(cls, {**vars(json_value), **vars(events)})
    return {
        field.name: _Field(
            name=field.name,
            types=_types(hints[field.name]),
            required=field.default is MISSING and field.default_factory is MISSING,
            is_tuple=get_origin(hints[field.name]) is tuple,
        )
        for field in fields(cls)
    }


_FIELDS: Final[Mapping[str, Mapping[str, _Field]]] = {
    kind: _table(cls) for kind, cls in KINDS.items()
}
