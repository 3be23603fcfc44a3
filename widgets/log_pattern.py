"""Search expressions of a log, compiled once (RE2: no input takes long)."""

from __future__ import annotations

from collections.abc import Iterator

import re2


class PatternError(ValueError):
    """A search expression cannot be read; the text says where and why."""


class Pattern:
    """A search expression, compiled once; matches lines, ignoring case when it is all lower."""

    def __init__(self, text: str, *, literal: bool = False) -> None:
        """Raise PatternError when `text` is no regular expression (RE2 syntax)."""
        options = re2.Options()
        options.never_nl = True
        options.log_errors = False
        options.literal = literal
        options.case_sensitive = any(character.isupper() for character in text)
        options.max_mem = 8 << 20
        self.text = text
        source = text if literal else f"(?m:{text})"
        try:
            self._compiled = re2.compile(source.encode(), options)
        except re2.error as problem:
            raise PatternError(_in_words(problem)) from None

    def spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield where the pattern is found in `data`; empty matches are left out."""
        for match in self._compiled.finditer(data):
            if match.end() > match.start():
                yield match.start(), match.end()


def _in_words(problem: Exception) -> str:
    detail = problem.args[0] if problem.args else problem
    return detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
