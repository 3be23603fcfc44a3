"""`when`: conditions as written, as data, and decided.

when = cond | "[" cond { "," cond } "]" | "{any: [" cond … "]}"        (a list means all)
cond = ref | {value: ref, is: text} | {value: ref, not: text} | {value: ref, in: [text…]}
     | {value: ref, set: bool} | {step: id, chose: name} | {step: id, status: STATUS}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook_tui.definition import references
from runbook_tui.definition.plan import Condition, When
from runbook_tui.definition.problems import Problem, did_you_mean
from runbook_tui.definition.references import Ref
from runbook_tui.definition.tree import Map, Seq, Spot, describe, spelling, spot
from state.status import StepStatus

TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0", ""})
STATUSES = tuple(status.value for status in StepStatus)
_TESTS = ("is", "not", "in", "set")
_KEYS = ("value", *_TESTS, "step", "chose", "status")

_TEXT = {"type": ["string", "number", "boolean"]}
_CONDITION: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": r"^\$\{\{.*\}\}$"},
        *(
            {
                "type": "object",
                "properties": {"value": {"type": "string"}, test: kind},
                "required": ["value", test],
                "additionalProperties": False,
            }
            for test, kind in (
                ("is", _TEXT),
                ("not", _TEXT),
                ("in", {"type": "array", "items": _TEXT}),
                ("set", {"type": "boolean"}),
            )
        ),
        {
            "type": "object",
            "properties": {"step": {"type": "string"}, "chose": {"type": "string"}},
            "required": ["step", "chose"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"step": {"type": "string"}, "status": {"enum": list(STATUSES)}},
            "required": ["step", "status"],
            "additionalProperties": False,
        },
    ]
}
SCHEMA: dict[str, Any] = {
    "anyOf": [
        *_CONDITION["anyOf"],
        {"type": "array", "items": _CONDITION, "minItems": 1},
        {
            "type": "object",
            "properties": {"any": {"type": "array", "items": _CONDITION, "minItems": 1}},
            "required": ["any"],
            "additionalProperties": False,
        },
    ]
}


class ConditionTextError(Exception):
    """A value that a bare condition needs true or false is some other text."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a condition may ask of an earlier step."""

    status: str
    choice: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What `when` came to, with the values that it saw, by path."""

    result: bool
    values: Mapping[str, str]


def decide(
    whens: Sequence[When],
    value: Callable[[Ref], str | None],
    step: Callable[[str], Facts | None],
) -> Decision:
    """Decide conditions of all levels, all of which must hold.

    `value` gives None for what does not exist, a skipped step's output above all: the condition is
    false then, or its reference's default counts. Raises ConditionTextError for a bare condition
    whose value is neither true nor false.
    """
    seen: dict[str, str] = {}

    def holds(condition: Condition) -> bool:
        if condition.step is not None:
            return _of_step(condition, step(condition.step), seen)
        return _of_value(condition, value, seen)

    for when in whens:
        results = [holds(condition) for condition in when.conditions]
        if not (any(results) if when.any else all(results)):
            return Decision(False, seen)
    return Decision(True, seen)


def _of_step(condition: Condition, facts: Facts | None, seen: dict[str, str]) -> bool:
    if facts is None:
        return False
    if condition.chose is not None:
        seen[f"steps.{condition.step}.choice"] = facts.choice or ""
        return facts.choice == condition.chose
    seen[f"steps.{condition.step}.status"] = facts.status
    return facts.status == condition.status


def _of_value(
    condition: Condition, value: Callable[[Ref], str | None], seen: dict[str, str]
) -> bool:
    path = condition.value or ""
    ref = references.make(path, condition.default)
    if isinstance(ref, str):
        raise ConditionTextError(ref)
    found = value(ref)
    if not found and condition.default is not None:
        found = condition.default
    seen[path] = found or ""
    if condition.set_ is not None:
        return bool(found) == condition.set_
    if found is None:
        return False
    if condition.is_ is not None:
        return found == condition.is_
    if condition.not_ is not None:
        return found != condition.not_
    if condition.in_ is not None:
        return found in condition.in_
    return truth(found, path)


def truth(text: str, path: str) -> bool:
    """Return whether a text means true; raises ConditionTextError when it means neither."""
    lower = text.strip().lower()
    if lower in TRUE:
        return True
    if lower in FALSE:
        return False
    raise ConditionTextError(
        f"{path} is {describe(text)}; as a condition it must be one of "
        f"{', '.join([*sorted(TRUE), *sorted(FALSE - {''})])} or empty"
    )


def parse(container: Map, key: str, problems: list[Problem]) -> When | None:
    """Read the `when` at a key; return None after adding what is wrong to `problems`."""
    node = container[key]
    if isinstance(node, Seq):
        return _many(node, False, problems)
    if isinstance(node, Map) and "any" in node:
        inner = node["any"]
        for other in node:
            if other != "any":
                place = spot(node, other, of_key=True)
                problems.append(place.error("unknown-key", f'unknown key "{other}" beside "any"'))
        if isinstance(inner, Seq):
            return _many(inner, True, problems)
        said = f"expected a list of conditions, found {describe(inner)}"
        problems.append(spot(node, "any").error("type", said))
        return None
    condition = _condition(node, spot(container, key), problems)
    return When((condition,)) if condition else None


def _many(nodes: Seq, any_: bool, problems: list[Problem]) -> When | None:
    if not nodes:
        problems.append(spot(nodes).error("when", "a list of conditions must not be empty"))
    found = [_condition(node, spot(nodes, index), problems) for index, node in enumerate(nodes)]
    conditions = tuple(condition for condition in found if condition)
    return When(conditions, any_) if conditions else None


def _condition(node: object, place: Spot, problems: list[Problem]) -> Condition | None:
    if isinstance(node, str):
        ref = _reference(node, place, problems)
        return Condition(value=ref.path, default=ref.default, truth=True) if ref else None
    if not isinstance(node, Map):
        said = f"expected a condition, found {describe(node)}"
        hint = "a condition is a reference, or {value: ${{ … }}, is: TEXT}, or {step: ID, …}"
        problems.append(place.error("when", said, hint))
        return None
    for key in node:
        if key not in _KEYS:
            here = spot(node, key, of_key=True)
            problems.append(
                here.error("unknown-key", f'unknown key "{key}"', did_you_mean(key, _KEYS))
            )
            return None
    return _step_test(node, problems) if "step" in node else _value_test(node, problems)


def _step_test(node: Map, problems: list[Problem]) -> Condition | None:
    tests = [key for key in ("chose", "status") if key in node]
    if len(tests) != 1 or len(node) != 2:
        said = "a condition on a step has `step` and one of `chose` and `status`"
        problems.append(spot(node).error("when", said))
        return None
    test = tests[0]
    for key in ("step", test):
        if not isinstance(node[key], str):
            said = f"expected text, found {describe(node[key])}"
            problems.append(spot(node, key).error("type", said))
            return None
    if test == "status" and node[test] not in STATUSES:
        said = f"{describe(node[test])} is no status; expected {', '.join(STATUSES)}"
        problems.append(
            spot(node, test).error("value", said, did_you_mean(node[test], list(STATUSES)))
        )
        return None
    if test == "chose":
        return Condition(step=node["step"], chose=node["chose"])
    return Condition(step=node["step"], status=node["status"])


def _value_test(node: Map, problems: list[Problem]) -> Condition | None:
    tests = [key for key in _TESTS if key in node]
    if "value" not in node or len(tests) != 1 or len(node) != 2:
        said = "a condition has `value` and one of `is`, `not`, `in` and `set`"
        problems.append(spot(node).error("when", said))
        return None
    if not isinstance(node["value"], str):
        said = f"expected a reference, found {describe(node['value'])}"
        problems.append(spot(node, "value").error("type", said))
        return None
    ref = _reference(node["value"], spot(node, "value"), problems)
    if ref is None:
        return None
    return _with_test(node, tests[0], ref, problems)


def _with_test(node: Map, test: str, ref: Ref, problems: list[Problem]) -> Condition | None:
    given = node[test]
    if test == "set":
        if isinstance(given, bool):
            return Condition(value=ref.path, default=ref.default, set_=given)
        said = f"expected true or false, found {describe(given)}"
        problems.append(spot(node, test).error("type", said))
        return None
    if test == "in":
        if isinstance(given, Seq) and given and not any(isinstance(x, Map | Seq) for x in given):
            words = tuple(_text(given, index) for index in range(len(given)))
            return Condition(value=ref.path, default=ref.default, in_=words)
        said = f"expected a list of texts, found {describe(given)}"
        problems.append(spot(node, test).error("type", said))
        return None
    if isinstance(given, Map | Seq):
        said = f"expected text, found {describe(given)}"
        problems.append(spot(node, test).error("type", said))
        return None
    text = _text(node, test)
    if test == "is":
        return Condition(value=ref.path, default=ref.default, is_=text)
    return Condition(value=ref.path, default=ref.default, not_=text)


def _text(container: Map | Seq, key: str | int) -> str:
    value = container[key]  # type: ignore[index]  # a key of just this container
    return value if isinstance(value, str) else spelling(container, key)


def _reference(text: str, place: Spot, problems: list[Problem]) -> Ref | None:
    refs, faults = references.scan(text)
    if faults:
        problems.append(place.inside(faults[0].nth).error("reference", faults[0].message))
        return None
    if len(refs) != 1 or text.strip() != text[refs[0].start : refs[0].end]:
        said = f"expected one reference and nothing else, found {describe(text)}"
        problems.append(place.error("when", said, "a condition compares; it is no expression"))
        return None
    if refs[0].kind == "secret":
        said = "a condition is journaled with its value, so it cannot look at a secret"
        problems.append(place.error("secret", said))
        return None
    return refs[0]
