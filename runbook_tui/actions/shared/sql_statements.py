"""Splits SQL into statements and finds what a migration file must not hold. Pure.

Knows quotes, dollar quotes, nested comments and `BEGIN ATOMIC` bodies of functions, so that a word
inside of them is never taken for a command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*)
    | (?P<quote>[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*")
    | (?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?\$)
    | (?P<meta>^[ \t]*\\[A-Za-z!?.])
    | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
    | (?P<end>;)
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)

_TRANSACTION: Final = frozenset({"begin", "commit", "end", "rollback", "abort", "start"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its text without comments before it, its line, and its words in lower case."""

    text: str
    line: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that a migration file must not hold."""

    line: int
    sentence: str


def split(sql: str) -> list[Statement]:
    """Return the statements of a file, empty ones left out."""
    found = []
    start, words, depth = 0, list[tuple[int, str]](), 0
    for place, kind, text in _tokens(sql):
        if kind == "word":
            words.append((place, text.lower()))
            depth += _opens([word for _, word in words], depth)
        elif kind == "end" and depth == 0:
            found.append(_statement(sql, start, place, words))
            start, words = place + 1, []
    found.append(_statement(sql, start, len(sql), words))
    return [statement for statement in found if statement.text]


def troubles(sql: str) -> Iterator[Trouble]:
    """Yield what would break the rule of one transaction a file."""
    for place, kind, text in _tokens(sql):
        if kind == "meta":
            command = text.strip()
            yield Trouble(_line(sql, place), f"{command} is a command of psql, not SQL")
    for statement in split(sql):
        words = statement.words
        first = words[0] if words else ""
        if first in _TRANSACTION or words[:2] == ("prepare", "transaction"):
            yield Trouble(
                statement.line,
                f"{first.upper()} controls the transaction, which is the program's to begin and "
                "to commit",
            )
        elif first == "copy" and "stdin" in words:
            yield Trouble(
                statement.line, "COPY FROM STDIN needs data that a migration file cannot send"
            )


def _opens(words: list[str], depth: int) -> int:
    """Return by how much the last word nests: `BEGIN ATOMIC`, and `CASE` inside, until `END`."""
    if words[0] != "create":
        return 0
    if words[-2:] == ["begin", "atomic"]:
        return 1
    if depth and words[-1] == "case":
        return 1
    return -1 if depth and words[-1] == "end" else 0


def _statement(sql: str, start: int, end: int, words: list[tuple[int, str]]) -> Statement:
    begin = words[0][0] if words else end
    text = sql[begin:end].strip() if words else ""
    return Statement(text, _line(sql, begin), tuple(word for _, word in words))


def _line(sql: str, place: int) -> int:
    return sql.count("\n", 0, place) + 1


def _tokens(sql: str) -> Iterator[tuple[int, str, str]]:
    """Yield (place, kind, text) of words, ends and psql's commands outside quotes and comments."""
    place = 0
    while match := _TOKEN.search(sql, place):
        kind = match.lastgroup or ""
        place = match.end()
        if kind == "dollar":
            closing = sql.find(match.group(), place)
            place = len(sql) if closing < 0 else closing + len(match.group())
        elif match.group() == "/*":
            place = _comment_end(sql, place)
        elif kind in {"word", "end", "meta"}:
            yield match.start(), kind, match.group()


def _comment_end(sql: str, place: int) -> int:
    depth = 1
    for match in re.compile(r"/\*|\*/").finditer(sql, place):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return len(sql)
