"""Figures with a unit, as limits are written: `0.1%`, `500ms`, `2s`, `90`."""

from __future__ import annotations

import re
from typing import Final

PATTERN: Final = r"^-?\d+(\.\d+)?(%|ms|s)?$"


def figure(text: str) -> float:
    """Return the number: percent as percent, times in milliseconds; ValueError when it is none."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text!r} is no figure; write it like 0.1%, 500ms, 2s or 90")
    if text.endswith("ms"):
        return float(text[:-2])
    if text.endswith("s"):
        return float(text[:-1]) * 1000
    return float(text.rstrip("%"))
