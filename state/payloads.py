"""Payload dataclasses to and from plain JSON data, strictly: no field missing, none unknown.

The field types of `events` are the schema: a table is made from them once, and the combinations of
types that passed it are remembered, so that reading a long journal stays cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import partial
from operator import attrgetter, itemgetter
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from state import events, json_value
from state.errors import CodecError, UnknownHere
from state.events import Payload
from state.json_value import Json

KINDS: Final[Mapping[str, type[Payload]]] = {cls.kind: cls for cls in get_args(Payload)}


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    types: tuple[type, ...]
    default: Callable[[], object] | None
    is_tuple: bool


@dataclass(frozen=True, slots=True)
class _Shape:
    """The fields of one kind; `seen` remembers the combinations of types found to be right."""

    fields: Mapping[str, _Field]
    names: tuple[str, ...]
    tuples: tuple[int, ...]
    read: Callable[[object], tuple[object, ...]]
    """Reads the fields of a payload in one go, `pick` those of its data (KeyError)."""
    pick: Callable[[Mapping[str, Json]], tuple[object, ...]]
    seen: set[tuple[type, ...]] = field(default_factory=set)

    def checked(self, kind: str, data: Mapping[str, Json]) -> list[Any]:
        """Return the values in order, defaults filled in, or raise CodecError."""
        for name in data:
            if name not in self.fields:
                raise UnknownHere(f"{kind} has the unknown field {name!r}")
        values: list[Any] = []
        for name, one in self.fields.items():
            if name in data:
                value: object = data[name]
            elif one.default is not None:
                value = one.default()
            else:
                raise CodecError(f"{kind} lacks the field {name!r}")
            if type(value) not in one.types:
                raise CodecError(f"{kind}.{name} is {type(value).__name__}")
            values.append(value)
        self.seen.add(tuple(map(type, values)))
        return values


def to_data(payload: Payload) -> dict[str, Json]:
    """Return the payload's fields as plain JSON: dicts, lists, text, numbers, booleans, None.

    Raises CodecError for a value that JSON cannot hold exactly.
    """
    shape = _SHAPES[payload.kind]
    return dict(zip(shape.names, map(plain, shape.read(payload)), strict=True))


def from_data(kind: str, data: Mapping[str, Json]) -> Payload:
    """Return the payload that `data` describes. Raises CodecError when it is not one of ours."""
    shape = _SHAPES.get(kind)
    if shape is None:
        raise UnknownHere(f"an event of the unknown kind {kind!r}")
    try:
        found: Sequence[Any] = shape.pick(data)
    except KeyError:
        found = ()
    if len(data) != len(found) or tuple(map(type, found)) not in shape.seen:
        found = shape.checked(kind, data)
    if not shape.tuples:
        return KINDS[kind](*found)
    values = list(found)
    for place in shape.tuples:
        values[place] = tuple(values[place])
    return KINDS[kind](*values)


def plain(value: object) -> Json:
    """Return `value` as the JSON reader would give it back. Raises CodecError if it cannot be."""
    # What most values are comes first: this is done for each field of each event.
    if value is None or value is True or value is False:
        return value
    if type(value) is str and value.isascii():
        return value
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise CodecError("a number that is not finite cannot be journaled")
        return float(value)
    if type(value) is dict or isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    raise CodecError(f"a {type(value).__name__} cannot be journaled")


def _key(key: object) -> str:
    if type(key) is str and key.isascii():
        return key
    if not isinstance(key, str):
        raise CodecError(f"a mapping with the key {key!r} cannot be journaled")
    return plain_text(key)


def plain_text(text: str) -> str:
    """Return `text` when UTF-8 can hold it. Raises CodecError for a lone surrogate."""
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


def _shape(cls: type[Payload]) -> _Shape:
    hints = get_type_hints(cls, {**vars(json_value), **vars(events)})
    table = {
        one.name: _Field(
            name=one.name,
            types=_types(hints[one.name]),
            default=_default(one),
            is_tuple=get_origin(hints[one.name]) is tuple,
        )
        for one in fields(cls)
    }
    return _Shape(
        fields=table,
        names=tuple(table),
        tuples=tuple(place for place, one in enumerate(table.values()) if one.is_tuple),
        read=_all(attrgetter, tuple(table)),
        pick=_all(itemgetter, tuple(table)),
    )


def _all(getter: Callable[..., Any], names: tuple[str, ...]) -> Callable[[Any], tuple[object, ...]]:
    """Return what reads these names in one go: a getter of one name gives no tuple."""
    read: Callable[[Any], Any] = getter(*names)
    return read if len(names) > 1 else lambda holder: (read(holder),)


def _default(one: Field[object]) -> Callable[[], object] | None:
    if one.default is not MISSING:
        return partial(_same, one.default)
    return one.default_factory if one.default_factory is not MISSING else None


def _same(value: object) -> object:
    return value


_SHAPES: Final[Mapping[str, _Shape]] = {kind: _shape(cls) for kind, cls in KINDS.items()}
