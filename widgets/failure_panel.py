"""What failed, what is true now, the last lines with their errors, help, and whom to call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from textual.content import Content

from widgets.glyphs import Glyphs
from widgets.log_lines import ERRORS
from widgets.rows import text
from widgets.safe import safe, safe_lines
from widgets.text_pane import Section, TextPane

_ERROR = re.compile(ERRORS, re.IGNORECASE)
_WORD = 10
"""Cells of the column that says whether something is done."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that failed, or whose outcome nobody knows. All texts are foreign.

    `found`, `missing` and `unclear` are what a look at the effect told: what is there, what is not,
    and what could not be found out. `hosts` are those in trouble, of several: name and words.
    `last` is the end of the output.
    """

    sentence: str
    facts: str = ""
    unknown: bool = False
    found: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    hosts: tuple[tuple[str, str], ...] = ()
    last: tuple[str, ...] = ()
    help: str = ""
    contacts: tuple[tuple[str, str, str], ...] = ()


def failure_sections(failure: Failure, glyphs: Glyphs) -> tuple[Section, ...]:
    """Return the sections of the panel."""
    mark, style = ("!", "unknown") if failure.unknown else ("X" if glyphs.ascii else "✗", "bad")
    head = text((mark, f"bold reverse $rb-{style}"), " ") + safe(failure.sentence)
    facts = (safe(failure.facts),) if failure.facts else ()
    sections = [Section((head, *facts), indent=2)]
    if failure.found or failure.missing:
        found = (*_told("done", failure.found), *_told("not done", failure.missing))
        sections.append(Section(found, text("What we found"), indent=_WORD))
    if failure.unclear:
        unclear = _lines(failure.unclear)
        sections.append(Section(unclear, text("What we could not find out"), indent=2))
    if failure.hosts:
        hosts = tuple(_host_lines(failure.hosts, mark))
        sections.append(Section(hosts, text("Hosts in trouble"), "5 hosts"))
    if failure.last:
        sections.append(
            Section(
                tuple(_marked(line, mark) for line in failure.last),
                text("Last lines, errors marked"),
                "1 log",
                indent=2,
            )
        )
    if failure.help:
        sections.append(Section(tuple(safe_lines(failure.help)), text("Author's help"), keep=6))
    if failure.contacts:
        sections.append(Section(call_lines(failure.contacts), text("Call"), indent=2))
    return tuple(sections)


def call_lines(contacts: Sequence[tuple[str, str, str]]) -> tuple[Content, ...]:
    """Return one line for each contact: role, name, how to reach."""
    widest = max((len(role) for role, _, _ in contacts), default=0)
    return tuple(
        safe(f"{role:<{widest}}").stylize("$rb-muted") + safe(f"  {name}  {reach}")
        for role, name, reach in contacts
    )


def _lines(lines: Sequence[str]) -> tuple[Content, ...]:
    return tuple(text("  ") + safe(line) for line in lines)


def _host_lines(hosts: Sequence[tuple[str, str]], mark: str) -> Iterator[Content]:
    widest = max(len(name) for name, _ in hosts)
    for name, words in hosts:
        yield text((mark, "reverse $rb-bad"), " ") + safe(f"{name:<{widest}}  {words}")


def _told(word: str, lines: Sequence[str]) -> Iterator[Content]:
    for line in lines:
        yield text((f"{word:<{_WORD}}", "bold" if word == "not done" else "$rb-muted")) + safe(line)


def _marked(line: str, mark: str) -> Content:
    if _ERROR.search(line):
        return text((mark, "reverse $rb-bad"), " ") + safe(line)
    return text("  ") + safe(line)


class FailurePanel(TextPane):
    """The panel of a failed or unknown step."""

    def show_failure(self, failure: Failure, glyphs: Glyphs) -> None:
        """Show this failure."""
        self.show(failure_sections(failure, glyphs))
