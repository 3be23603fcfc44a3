"""Compares an answer with what a scenario expects of it. Pure.

`first_fault` returns a sentence's end (`status 500, and 303 was expected`), or None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from runbook_tui.actions.shared import durations
from runbook_tui.actions.shared.http import Answer

_MATCHES: Final = frozenset({"pattern", "above", "below", "present"})
_MISSING: Final = object()
SHOWN: Final = 120
"""Most characters of a found value in a message."""


def first_fault(answer: Answer, expect: Mapping[str, Any]) -> str | None:
    """Return in what the answer first differs from what is expected."""
    return next(_faults(answer, expect), None)


def at_path(value: object, path: str) -> object:
    """Return what lies at a path such as `items.0.id`, or None when nothing does.

    Raises KeyError then, so that a JSON null can be told from it.
    """
    for key in path.split("."):
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise KeyError(path)
    return value


def decoded(answer: Answer) -> object:
    """Return the JSON of an answer; ValueError when it is none."""
    return json.loads(answer.body)


def _faults(answer: Answer, expect: Mapping[str, Any]) -> Iterator[str]:
    wanted = expect["status"] if isinstance(expect["status"], list) else [expect["status"]]
    if answer.status not in wanted:
        words = " or ".join(str(status) for status in wanted)
        yield f"status {answer.status}, and {words} was expected"
    for name, rule in expect["headers"].items():
        found = answer.header(name)
        yield from _value(f"header {name}", _MISSING if found is None else found, rule)
    if expect["json"]:
        yield from _json(answer, expect["json"])
    for text in _list(expect["text"]):
        if text not in answer.text:
            yield f"the body does not hold {text!r}"
    for text in _list(expect["without"]):
        if text in answer.text:
            yield f"the body holds {text!r}"
    yield from _cookies(answer, expect["cookies"])
    if expect["under"] is not None and answer.seconds > durations.seconds(expect["under"]):
        yield f"it took {round(answer.seconds * 1000)} ms, and under {expect['under']} was expected"


def _json(answer: Answer, rules: Mapping[str, Any]) -> Iterator[str]:
    try:
        body = decoded(answer)
    except ValueError:
        yield "the body is no JSON"
        return
    for path, rule in rules.items():
        try:
            found = at_path(body, path)
        except KeyError:
            found = _MISSING
        yield from _value(path, found, rule)


def _value(name: str, found: object, rule: object) -> Iterator[str]:
    if isinstance(rule, Mapping) and rule.keys() == _MATCHES:
        yield from _matches(name, found, rule)
    elif found is _MISSING:
        yield f"{name} is missing, and {_shown(rule)} was expected"
    elif not _same(found, rule):
        yield f"{name} is {_shown(found)}, and {_shown(rule)} was expected"


def _matches(name: str, found: object, rule: Mapping[str, Any]) -> Iterator[str]:
    if rule["present"] is False:
        if found is not _MISSING:
            yield f"{name} is there, and should not be"
        return
    if found is _MISSING:
        yield f"{name} is missing"
        return
    if rule["pattern"] is not None and not re.search(rule["pattern"], spelling(found)):
        yield f"{name} is {_shown(found)}, and does not match {rule['pattern']}"
    for key, word in (("above", "more"), ("below", "less")):
        if rule[key] is None:
            continue
        number = _number(found)
        if number is None:
            yield f"{name} is {_shown(found)}, and no number"
        elif not (number > rule[key] if key == "above" else number < rule[key]):
            yield f"{name} is {_shown(found)}, and {word} than {rule[key]:g} was expected"


def _cookies(answer: Answer, wanted: Mapping[str, Sequence[str]]) -> Iterator[str]:
    found: dict[str, set[str]] = {}
    for line in answer.cookies():
        first, *rest = line.split(";")
        words = {each.strip().partition("=")[0].lower() for each in rest}
        found[first.partition("=")[0].strip()] = words
    for name, attributes in wanted.items():
        if name not in found:
            yield f"the cookie {name} is not set"
            continue
        missing = [each for each in attributes if each not in found[name]]
        yield from (f"the cookie {name} is not {each}" for each in missing)


def _same(found: object, rule: object) -> bool:
    if isinstance(rule, str) and not isinstance(found, str):
        return spelling(found) == rule
    if isinstance(found, bool) != isinstance(rule, bool):
        return False
    return found == rule


def _number(found: object) -> float | None:
    try:
        return float(spelling(found))
    except ValueError:
        return None


def spelling(found: object) -> str:
    """Return a JSON value as text; a text as itself."""
    return found if isinstance(found, str) else json.dumps(found)


def _shown(found: object) -> str:
    text = spelling(found)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _list(given: str | Sequence[str]) -> Sequence[str]:
    return [given] if isinstance(given, str) else given
