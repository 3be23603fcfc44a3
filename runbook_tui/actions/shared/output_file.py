"""Reads the file `$RUNBOOK_OUTPUT` that a script wrote. Runs in the worker, for `run` and `ssh`.

Lines are `name=value`, or `name<<MARK`, the value's lines, `MARK`. The messages name outputs and
lines, never values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from runbook_tui.actions.shared.secrecy import first_with_secret

LIMIT: Final = 64 * 1024
"""Bytes that a script may hand on."""

_LINE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<sign>=|<<)(?P<rest>.*)", re.DOTALL)


class OutputError(Exception):
    """What a script handed on is not what it declared; the text is a sentence for the operator."""


def read(
    data: bytes,
    declared: Sequence[str] | Mapping[str, Mapping[str, Any] | None],
    secrets: Sequence[str],
) -> dict[str, str]:
    """Return the outputs by name. Raises OutputError for anything that was not declared so."""
    if len(data) > LIMIT:
        raise OutputError(f"The outputs are {len(data)} bytes long, more than {LIMIT}.")
    try:
        text = data.decode()
    except UnicodeDecodeError as fault:
        raise OutputError(f"The outputs are not UTF-8 at byte {fault.start}.") from fault
    if "\0" in text:
        raise OutputError("The outputs hold a NUL byte.")
    rules = declared if isinstance(declared, Mapping) else dict.fromkeys(declared)
    found: dict[str, str] = {}
    for name, value in _pairs(text):
        if name not in rules:
            raise OutputError(f"The output {name} is not declared. Add it to outputs.")
        if name in found:
            raise OutputError(f"The output {name} is given twice.")
        found[name] = value
    if (at := first_with_secret(found.values(), secrets)) is not None:
        raise OutputError(f"The output {list(found)[at]} contains a secret.")
    _check(found, rules)
    return found


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    lines = text.removesuffix("\n").split("\n") if text else []
    rest = iter(enumerate(lines, 1))
    for number, line in rest:
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise OutputError(f"Line {number} of the outputs is neither name=value nor name<<MARK.")
        if match["sign"] == "=":
            yield match["name"], match["rest"]
        else:
            yield match["name"], _until(rest, match["name"], match["rest"])


def _until(rest: Iterator[tuple[int, str]], name: str, mark: str) -> str:
    if not mark.strip():
        raise OutputError(f"The output {name} has no mark after <<.")
    value: list[str] = []
    for _, line in rest:
        if line == mark:
            return "\n".join(value)
        value.append(line)
    raise OutputError(f"The output {name} does not end: there is no line {mark}.")


def _check(found: Mapping[str, str], rules: Mapping[str, Mapping[str, Any] | None]) -> None:
    for name, rule in rules.items():
        pattern = (rule or {}).get("pattern")
        if name not in found:
            if not (rule or {}).get("optional"):
                raise OutputError(f"The output {name} is missing: the script did not write it.")
        elif pattern is not None and not re.fullmatch(pattern, found[name]):
            raise OutputError(f"The output {name} does not match its pattern {pattern}.")
