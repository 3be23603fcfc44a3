"""The result that a worker leaves: the one file that says how an attempt ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from state.json_value import Json

STATUSES: Final = frozenset({"succeeded", "failed", "stopped", "unknown"})
EFFECTS: Final = frozenset({"none", "done", "partial", "unknown"})


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt ended; the fields mean what they mean in `AttemptEnded`."""

    status: str
    exit_code: int | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    by_host: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    evidence: tuple[Mapping[str, Json], ...] = ()
    reason: str | None = None
    cause: str | None = None
    effect: str = "unknown"
    verdict: str | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Corrupt:
    """A result file that cannot be what a worker wrote; `reason` says why."""

    reason: str


def dump_result(result: Result) -> bytes:
    """Return the result as the file holds it."""
    return (json.dumps(asdict(result), ensure_ascii=False, sort_keys=True) + "\n").encode()


def load_result(content: bytes) -> Result | Corrupt:
    """Return the result that a file holds, or why it holds none."""
    try:
        data: Any = json.loads(content.decode())
    except (UnicodeDecodeError, ValueError, RecursionError) as problem:
        return Corrupt(f"the result file is not JSON: {problem}")
    if not isinstance(data, dict) or set(data) != _FIELDS:
        return Corrupt("the result file does not have a result's fields")
    if data["status"] not in STATUSES or data["effect"] not in EFFECTS:
        return Corrupt("the result file has a status or an effect that is none")
    wrong = next((name for name, check in _CHECKS.items() if not check(data[name])), None)
    if wrong is not None:
        return Corrupt(f"the result file has a wrong value at {wrong}")
    return Result(**{**data, "evidence": tuple(data["evidence"])})


def _text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _code(value: object) -> bool:
    return value is None or type(value) is int


def _host_texts(value: object) -> bool:
    return isinstance(value, dict) and all(map(_texts, value.values()))


def _mapping(value: object) -> bool:
    return isinstance(value, dict)


def _mappings(value: object) -> bool:
    return isinstance(value, list) and all(map(_mapping, value))


_FIELDS: Final = {one.name for one in fields(Result)}
_CHECKS: Final[Mapping[str, Callable[[object], bool]]] = {
    "exit_code": _code,
    "outputs": _texts,
    "by_host": _host_texts,
    "evidence": _mappings,
    "reason": _text_or_none,
    "cause": _text_or_none,
    "verdict": _text_or_none,
    "detail": _mapping,
}
