"""The right to perform an attempt, as far as machines that cannot see each other share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Claimant = Literal["worker", "void"]


@dataclass(frozen=True, slots=True)
class Claimed:
    """Whether the claim is the asker's.

    `left` is for how many seconds from the asking on a worker with the claim may still begin to
    act, the asker's or the other's; None where nothing limits it.
    """

    ours: bool
    left: float | None = None
