"""Patterns of values: matching, and which can only match what a shell leaves in one piece."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any

_PARSER: Any = import_module("re._parser")
"""Python's own parser of regular expressions: it has no public name since `sre_parse` went."""

_SPLITS = frozenset("*?[") | frozenset(map(chr, (9, 10, 11, 12, 13, 32)))
_SAFE_CATEGORIES = frozenset({"CATEGORY_DIGIT", "CATEGORY_WORD"})


def matches(pattern: str, value: str) -> bool:
    """Tell whether the whole of a value matches."""
    return re.fullmatch(pattern, value) is not None


@lru_cache(maxsize=1024)
def keeps_whole(pattern: str) -> bool:
    """Tell whether every match is one harmless word outside quotes.

    That is: no blanks, none of `*?[`, no `-` at its beginning. Doubtful patterns do not count.
    """
    try:
        tree = _PARSER.parse(pattern)
    except re.error:
        return False
    return _safe(tree) and not _begins_with_dash(tree)[0]


def word_keeps_whole(text: str) -> bool:
    """Tell the same of one known value."""
    return bool(text) and not _SPLITS & set(text) and not text[0].isspace() and text[0] != "-"


def _safe(nodes: Any) -> bool:
    return all(_safe_node(str(op), argument) for op, argument in nodes)


def _safe_node(op: str, argument: Any) -> bool:
    match op:
        case "LITERAL":
            return chr(argument) not in _SPLITS and not chr(argument).isspace()
        case "IN":
            return all(_safe_member(str(kind), member) for kind, member in argument)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return _safe(argument[2])
        case "SUBPATTERN":
            return _safe(argument[3])
        case "BRANCH":
            return all(_safe(branch) for branch in argument[1])
        case "AT":
            return True
        case _:
            return False


def _safe_member(kind: str, member: Any) -> bool:
    if kind == "LITERAL":
        return _safe_node("LITERAL", member)
    if kind == "RANGE":
        low, high = member
        return high - low < 0x400 and all(
            _safe_node("LITERAL", code) for code in range(low, high + 1)
        )
    return kind == "CATEGORY" and str(member) in _SAFE_CATEGORIES


def _begins_with_dash(nodes: Any) -> tuple[bool, bool]:
    """Return whether a match may begin with `-`, and whether it may be empty."""
    for op, argument in nodes:
        dash, empty = _first(str(op), argument)
        if dash or not empty:
            return dash, False
    return False, True


def _first(op: str, argument: Any) -> tuple[bool, bool]:
    match op:
        case "LITERAL":
            return argument == 0x2D, False
        case "IN":
            return any(_holds_dash(str(kind), member) for kind, member in argument), False
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            dash, empty = _begins_with_dash(argument[2])
            return dash, empty or argument[0] == 0
        case "SUBPATTERN":
            return _begins_with_dash(argument[3])
        case "BRANCH":
            found = [_begins_with_dash(branch) for branch in argument[1]]
            return any(dash for dash, _ in found), any(empty for _, empty in found)
        case _:
            return False, True


def _holds_dash(kind: str, member: Any) -> bool:
    if kind == "LITERAL":
        return bool(member == 0x2D)
    return kind == "RANGE" and member[0] <= 0x2D <= member[1]
