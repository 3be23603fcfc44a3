"""Which patterns only match one harmless word of a shell."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_tui.definition.patterns import keeps_whole, matches, word_keeps_whole


@pytest.mark.parametrize(
    ("pattern", "whole"),
    [
        (r"^v\d+\.\d+\.\d+$", True),
        (r"\w+", True),
        (r"[a-z][a-z0-9-]*", True),
        (r"(?:a|b-c)+", True),
        (r"sha256:[0-9a-f]{64}", True),
        (r"https://[\w./-]+", True),
        (r".*", False),
        (r"\S+", False),
        (r"[^ ]+", False),
        (r"a b", False),
        (r"a\*", False),
        (r"[!-~]+", False),
        (r"-?\d+", False),
        (r"[a-z-]+", False),
        (r"(a|-b)", False),
        (r"a*-b", False),
        (r"(?=a)a", False),
        (r"(", False),
    ],
)
def test_patterns(pattern: str, whole: bool) -> None:
    assert keeps_whole(pattern) is whole


_PARTS = st.sampled_from(
    [r"\w", r"\d+", "a", "-", " ", r"\.", ".", "[a-f]", "[*-z]", "(?:b|-)", "x?", r"\s*", "(c|d)+"]
)


@given(st.lists(_PARTS, min_size=1, max_size=4).map("".join), st.data())
def test_what_is_called_whole_is_whole(pattern: str, data: st.DataObject) -> None:
    if keeps_whole(pattern):
        value = data.draw(st.from_regex(pattern, fullmatch=True))
        assert re.fullmatch(r"[^-\s*?\[][^\s*?\[]*", value) or not value


@pytest.mark.parametrize(
    ("word", "whole"), [("app", True), ("-rf", False), ("a b", False), ("a*", False), ("", False)]
)
def test_words(word: str, whole: bool) -> None:
    assert word_keeps_whole(word) is whole


@pytest.mark.parametrize(
    ("value", "right"), [("v1", True), ("v1\n", False), ("xv1", False), ("v1x", False)]
)
def test_the_whole_value_must_match(value: str, right: bool) -> None:
    assert matches(r"v\d+", value) is right
    assert matches(r"^v\d+$", value) is right
