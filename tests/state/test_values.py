"""Value classes made in great numbers: they compare, hash and copy as frozen ones do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from state.events import NoteAdded
from state.values import value


@value(frozen=True, slots=True)
class Pair:
    """A class that is frozen for mypy."""

    one: str
    two: tuple[str, ...] = ()


def test_equal_ones_are_one_key() -> None:
    assert Pair("a", ("b",)) == Pair("a", ("b",))
    assert len({Pair("a"), Pair("a"), Pair("b")}) == 2
    assert replace(Pair("a"), two=("b",)) == Pair("a", ("b",))


def test_they_have_slots() -> None:
    assert not hasattr(Pair("a"), "__dict__")
    with pytest.raises(AttributeError):
        setattr(Pair("a"), "three", 3)  # noqa: B010 - mypy would refuse it


def test_mypy_holds_that_none_is_changed() -> None:
    """The ignored error is one that mypy must find, or it says that nothing is to be ignored."""
    note = NoteAdded("seen")
    note.text = "changed"  # type: ignore[misc]
    assert note.text == "changed"
