"""Values that a scenario takes from answers and puts into later requests. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any, Final

from runbook_tui.actions.shared.http import Answer
from runbook_tui.actions.smoke import expectation

_PLACE: Final = re.compile(r"(?<!\$)\{\{ *(\w+) *\}\}")


class NotFound(Exception):  # noqa: N818 - it reads as what happened
    """An answer does not hold what was to be taken from it; the text is a sentence's end."""


def fill(value: Any, captured: Mapping[str, str]) -> Any:
    """Return an option with each `{{ name }}` in its texts replaced by the captured value."""
    if isinstance(value, str):
        return _PLACE.sub(lambda match: captured.get(match[1], match[0]), value)
    if isinstance(value, Mapping):
        return {key: fill(item, captured) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, captured) for item in value]
    return value


def take(answer: Answer, rules: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the values that the rules name; NotFound for the first that is not there."""
    return {name: _one(answer, name, rule) for name, rule in rules.items()}


def mask(text: str, captured: Mapping[str, str]) -> str:
    """Return a text for the log without captured values."""
    for value in sorted(captured.values(), key=len, reverse=True):
        if len(value) >= 4:
            text = text.replace(value, "***")
    return text


def _one(answer: Answer, name: str, rule: Mapping[str, Any]) -> str:
    if rule["json"] is not None:
        return _from_json(answer, name, rule["json"])
    if rule["header"] is not None:
        found = answer.header(rule["header"])
        if found is None:
            raise NotFound(f"there is no header {rule['header']} to take {name} from")
        return found
    if rule["cookie"] is not None:
        return _from_cookies(answer, name, rule["cookie"])
    match = re.search(rule["text"], answer.text)
    if match is None:
        raise NotFound(f"the body does not match the pattern of {name}")
    return match[1] if match.re.groups else match[0]


def _from_json(answer: Answer, name: str, path: str) -> str:
    try:
        found = expectation.at_path(expectation.decoded(answer), path)
    except ValueError as fault:
        raise NotFound(f"the body is no JSON to take {name} from") from fault
    except KeyError as fault:
        raise NotFound(f"the JSON has no {path} to take {name} from") from fault
    return expectation.spelling(found)


def _from_cookies(answer: Answer, name: str, cookie: str) -> str:
    for line in answer.cookies():
        jar = SimpleCookie(line)
        if cookie in jar:
            return jar[cookie].value
    raise NotFound(f"the cookie {cookie} is not set, to take {name} from")
