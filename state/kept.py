"""A whole run, as it goes from one journal to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from state.events import Record


@dataclass(frozen=True, slots=True)
class Kept:
    """All records of a run, from the first, and its definition's files by name.

    `origin` says in words where they come from; None for a run that is to be one of our own.
    """

    run: str
    records: Sequence[Record]
    sources: Mapping[str, bytes]
    origin: str | None
