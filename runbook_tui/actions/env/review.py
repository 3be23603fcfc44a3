"""Reviews variables against rules. Pure; what it says never holds a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_PLACEHOLDER: Final = re.compile(
    r"""
      <[^<>]*>                                    # <your-key>
    | \$\{[^}]*\} | \{\{.*\}\}                    # ${KEY}, {{ key }}
    | (?:change|fill|replace)[-_ ]?(?:me|this|in)?
    | your[-_ ].* | .*[-_ ](?:here|placeholder)
    | todo | tbd | fixme | placeholder | dummy | example | none | null | undefined
    | x{3,} | \*{3,} | \.{3,} | -+ | \?+
    """,
    re.VERBOSE | re.IGNORECASE,
)

_LINE: Final = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One variable: `fault` says what is wrong with it, None when nothing is."""

    name: str
    fault: str | None
    note: str = ""


class FileFault(Exception):  # noqa: N818 - it reads as what happened
    """A file of variables cannot be read; the text is a sentence's end."""


def review(
    values: Mapping[str, str], rules: Mapping[str, Mapping[str, Any] | None], *, known_only: bool
) -> Iterator[Reviewed]:
    """Yield what is to be said of each variable with a rule, then of those without one."""
    for name, given in rules.items():
        rule = given or {}
        value = values.get(name, "")
        if value:
            yield Reviewed(name, _fault(value, rule), f"{len(value)} characters")
        elif rule.get("optional"):
            yield Reviewed(name, None, "not set, optional")
        else:
            yield Reviewed(name, "is empty" if name in values else "is missing")
    if known_only:
        yield from (Reviewed(name, "has no rule") for name in values if name not in rules)


def parse(text: str) -> dict[str, str]:
    """Return the variables of a file of `NAME=value` lines, the last of a name winning.

    Quotes around a value are taken off, `#` after a blank begins a comment. Raises FileFault.
    """
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise FileFault(f"line {number} is not NAME=value")
        found[match["name"]] = _unquoted(match["value"].strip(), number)
    return found


def _fault(value: str, rule: Mapping[str, Any]) -> str | None:
    if not rule.get("placeholder") and _PLACEHOLDER.fullmatch(value.strip()):
        return "looks like a placeholder"
    if rule.get("min_length") is not None and len(value) < rule["min_length"]:
        return f"has {len(value)} characters, and at least {rule['min_length']} were expected"
    if rule.get("pattern") is not None and not re.fullmatch(rule["pattern"], value):
        return f"does not match {rule['pattern']}"
    if rule.get("choices") is not None and value not in rule["choices"]:
        return f"is none of {', '.join(rule['choices'])}"
    return None


def _unquoted(value: str, number: int) -> str:
    if value[:1] in {'"', "'"}:
        end = value.find(value[0], 1)
        if end < 0:
            raise FileFault(f"line {number} has a quote that does not end")
        return value[1:end]
    return re.split(r"\s#", value, maxsplit=1)[0].strip()
