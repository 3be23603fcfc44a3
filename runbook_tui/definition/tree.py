"""YAML as plain values that remember where they stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runbook_tui.definition.problems import Problem
from runbook_tui.definition.scan import Source


class Map(dict[str, Any]):
    """A mapping. `marks` holds the events of each key and its value, `event` its own beginning."""

    __slots__ = ("event", "marks", "source")
    event: Any
    marks: dict[str, tuple[Any, Any]]
    source: Source


class Seq(list[Any]):
    """A sequence. `marks` holds the event of each entry, `event` its own beginning."""

    __slots__ = ("event", "marks", "source")
    event: Any
    marks: list[Any]
    source: Source


class Spot(NamedTuple):
    """A place in a source: where an event begins and ends (character offsets, for references)."""

    source: Source
    line: int
    column: int
    start: int
    end: int

    def error(self, code: str, message: str, hint: str = "") -> Problem:
        """Return an error at this place."""
        return self.source.problem(self.line, self.column, code, message, hint)

    def warning(self, code: str, message: str, hint: str = "") -> Problem:
        """Return a warning at this place."""
        return self.source.problem(self.line, self.column, code, message, hint, "warning")

    def inside(self, nth: int) -> Spot:
        """Return the place of the nth `${{` in this scalar (from 0), or this place."""
        at = self.start - 1
        for _ in range(nth + 1):
            at = self.source.text.find("${{", at + 1, self.end)
            if at < 0:
                return self
        before = self.source.text[self.start : at]
        breaks = before.count("\n")
        column = at - self.start - before.rfind("\n") - 1 if breaks else self.column + len(before)
        return Spot(self.source, self.line + breaks, column, at, self.end)


def spot(container: Map | Seq, key: str | int | None = None, *, of_key: bool = False) -> Spot:
    """Return where a container, one of its values, or one of its keys stands."""
    if key is None:
        event = container.event
    elif isinstance(container, Map):
        event = container.marks[str(key)][0 if of_key else 1]
    else:
        event = container.marks[int(key)]
    start, end = event.start_mark, event.end_mark
    return Spot(container.source, start.line, start.column, start.index, end.index)


def spelling(container: Map | Seq, key: str | int) -> str:
    """Return a scalar as the file spells it: `1.10` stays `1.10`."""
    event = (
        container.marks[str(key)][1] if isinstance(container, Map) else container.marks[int(key)]
    )
    return str(event.value)


def stray(container: Map, key: str) -> str:
    """Return the advice for an unknown key that is the rest of an unquoted text, or nothing."""
    if container.get(key) is None and getattr(container.event, "flow_style", False):
        return "a comma inside { … } begins a new key: put quotes round the text"
    return ""


def describe(value: object) -> str:
    """Say what a value is, for `expected …, found …`."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            short = value if len(value) <= 40 else value[:39] + "…"
            return f'"{short}"'.replace("\n", "↵")
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case _:
            return type(value).__name__
