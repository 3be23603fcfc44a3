"""The grammar of `${{ … }}`: a name, never an expression.

ref     = "${{" path [ "|" default ] "}}"        (literal "${{" is written "$${{")
path    = param | "env." name | "secrets." name | "steps." id "." name [ ".by_host." host ]
        | "run.id" | "run.date" | "operator" | "host" | "host.user" | "host.address" | "item"
default = '"' text '"'                           (never for secrets)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["parameter", "env", "secret", "step", "run", "operator", "host", "item"]

RESERVED = ("env", "secrets", "steps", "run", "operator", "host", "item")
"""Words that no parameter may have as its name."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WITHIN = re.compile(r"(?:[a-z0-9-]{1,64}/)+[A-Za-z_][A-Za-z0-9_-]*")
"""A parameter of an included runbook, as a plan writes it. No file can: there is none so named."""

STEP_ID = re.compile(r"[a-z0-9-]{1,64}(?:/[a-z0-9-]{1,64})*")
_OPEN = re.compile(r"\$?\$\{\{")
_BODY = re.compile(r'\s*(?P<path>[^\s|"}]*)\s*(?:\|\s*"(?P<default>[^"]*)"\s*)?\}\}')
_HOST = re.compile(r"[A-Za-z0-9_.:-]+")
EXPECTED = 'expected ${{ NAME }} or ${{ NAME | "default" }}'


@dataclass(frozen=True, slots=True)
class Ref:
    """One reference in a text, at `start` to `end`.

    `name` is the parameter, variable, secret or output; for `run`, `host` it is the rest of the
    path (`id`, `date`, `user`, `address` or empty). `step` and `host` belong to `steps.…`.
    """

    path: str
    kind: Kind
    name: str
    start: int
    end: int
    default: str | None = None
    step: str | None = None
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Text that begins like a reference and is none. `nth` counts the `${{` before it."""

    message: str
    start: int
    nth: int


class ReferenceSyntaxError(ValueError):
    """A text holds something that begins like a reference and is none."""


def find(text: str) -> list[Ref]:
    """Return the references of a text, in order. Raises ReferenceSyntaxError."""
    refs, faults = scan(text)
    if faults:
        raise ReferenceSyntaxError(faults[0].message)
    return refs


def scan(text: str) -> tuple[list[Ref], list[Fault]]:
    """Return the references of a text and what only begins like one."""
    refs: list[Ref] = []
    faults: list[Fault] = []
    at = 0
    nth = -1
    while (opening := _OPEN.search(text, at)) is not None:
        nth += 1
        at = opening.end()
        if len(opening[0]) == 4:
            continue
        body = _BODY.match(text, at)
        if body is None:
            faults.append(Fault(_wrong(text[opening.start() :]), opening.start(), nth))
            continue
        at = body.end()
        made = make(body["path"], body["default"], opening.start(), at)
        if isinstance(made, Ref):
            refs.append(made)
        else:
            faults.append(Fault(made, opening.start(), nth))
    return refs, faults


def make(path: str, default: str | None = None, start: int = 0, end: int = 0) -> Ref | str:
    """Return the reference that a path stands for, or a sentence that says what is wrong."""
    head, _, rest = path.partition(".")
    if path in ("operator", "item", "host"):
        kind: Kind = path  # type: ignore[assignment]  # each of the three is a Kind
        return Ref(path, kind, "", start, end, default)
    if path in ("run.id", "run.date"):
        return Ref(path, "run", rest, start, end, default)
    if path in ("host.user", "host.address"):
        return Ref(path, "host", rest, start, end, default)
    if head == "env" and NAME.fullmatch(rest):
        return Ref(path, "env", rest, start, end, default)
    if head == "secrets" and NAME.fullmatch(rest):
        if default is not None:
            return f"the secret {rest} cannot have a default: it would stand in the file"
        return Ref(path, "secret", rest, start, end)
    if head == "steps":
        return _of_step(path, rest, default, start, end)
    if head not in RESERVED and (NAME.fullmatch(path) or _WITHIN.fullmatch(path)):
        return Ref(path, "parameter", path, start, end, default)
    if not path:
        return f"a reference without a name; {EXPECTED}"
    return f'"{path}" is not a name that a reference can have; {_shapes(head)}'


def _of_step(path: str, rest: str, default: str | None, start: int, end: int) -> Ref | str:
    parts = rest.split(".", 3)
    step = parts[0]
    if len(parts) < 2 or not STEP_ID.fullmatch(step) or not NAME.fullmatch(parts[1]):
        return f'"{path}" is not a step\'s output; expected steps.ID.NAME'
    if len(parts) == 2:
        return Ref(path, "step", parts[1], start, end, default, step)
    if len(parts) == 4 and parts[2] == "by_host" and _HOST.fullmatch(parts[3]):
        return Ref(path, "step", parts[1], start, end, default, step, parts[3])
    return f'"{path}" is not a step\'s output; expected steps.ID.NAME.by_host.HOST'


def _shapes(head: str) -> str:
    return {
        "env": "expected env.NAME",
        "secrets": "expected secrets.NAME",
        "steps": "expected steps.ID.NAME",
        "run": "expected run.id or run.date",
        "host": "expected host, host.user or host.address",
    }.get(head, "a reference is a name, never an expression")


def _wrong(text: str) -> str:
    if "}}" not in text:
        return "${{ is not closed; expected }}"
    inner = text[3 : text.index("}}")]
    if "|" in inner and '"' not in inner.partition("|")[2]:
        return 'a default stands in double quotes: ${{ NAME | "default" }}'
    return f"a reference is a name, never an expression; {EXPECTED}"
