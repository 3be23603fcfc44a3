"""What a plain scalar means: the YAML 1.2 core rules, with fewer surprises.

Only `true` and `false` are booleans; `on`, `yes`, `22:30`, `017` and dates stay text. `.inf` and
`.nan` stay text too: no option can hold them. A number written as text is spelled as it was read.
"""

from __future__ import annotations

import re


class SpelledInt(int):
    """A whole number that is text as the file spells it: `0x10`."""

    text: str

    def __str__(self) -> str:
        return self.text


class SpelledFloat(float):
    """A number that is text as the file spells it: `1.10`."""

    text: str

    def __str__(self) -> str:
        return self.text


Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,299})")
_OTHER_BASE = re.compile(r"0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_MAY_BEGIN = frozenset("-+.0123456789~nNtTfF")


def resolve(text: str) -> Scalar:
    """Return the value of a plain (unquoted) scalar."""
    if text and text[0] not in _MAY_BEGIN:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _integer(int(text), text)
    if _OTHER_BASE.fullmatch(text):
        return _integer(int(text, 0), text)
    if _FLOAT.fullmatch(text) and len(text) < 300:
        return _float(float(text), text)
    return text


def _integer(value: int, text: str) -> int:
    if str(value) == text:
        return value
    spelled = SpelledInt(value)
    spelled.text = text
    return spelled


def _float(value: float, text: str) -> float:
    if str(value) == text:
        return value
    spelled = SpelledFloat(value)
    spelled.text = text
    return spelled
