"""Answers what nobody's evidence can: by looking at the world itself, as a person would."""

from __future__ import annotations

from tests.crash.worlds.base import Facts


def answer(facts: Facts, before: Facts, wanted: Facts) -> str:
    """Return the answer for a world that was `before` and is `wanted` to be otherwise."""
    if facts == wanted:
        return "verified:the world shows it once"
    if facts == before:
        return "retry"
    return "continue"
