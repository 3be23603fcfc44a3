"""Sizes of a terminal at which the layout changes, in cells."""

from __future__ import annotations

LEAST = (60, 16)
"""Columns and rows that the screens need."""

NARROW = 80
"""Below: one column."""

WIDE = 140
"""From here on: three columns."""
