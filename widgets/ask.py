"""What the decision bar shows: a question with its choices, or what is going on."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from widgets.choices import Choice
from widgets.rows import EMPTY


@dataclass(frozen=True, slots=True)
class Ask:
    """A question. `typed` is the name that must be typed; `value` is then what it decides.

    `choices[0]` is the safe one. `rows` stand above `lines`, each cut to one row, as many as there
    is room for. `place` is `1 of 2` when several are open. `first` says where
    `d` goes: into the bar, or into a form elsewhere.
    """

    id: str
    question: Content
    lines: tuple[Content, ...]
    choices: tuple[Choice, ...]
    typed: str = ""
    value: str = ""
    place: str = ""
    form: bool = False
    rows: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True)
class Now:
    """What is going on while nothing is asked. Each line has a left and a right part."""

    title: Content
    lines: tuple[tuple[Content, Content], ...]


NOTHING = Now(Content("Now"), ((EMPTY, EMPTY),))
