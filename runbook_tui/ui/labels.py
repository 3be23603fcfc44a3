"""Lines with a label column, as the tabs of a step and the questions show them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from textual.content import Content

from widgets.safe import safe

LABEL = 13
"""Cells of the label column."""

_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")


def labelled(label: str, words: str, *, short: bool = False) -> Content:
    """Return one line with its label in a column of its own; digests are cut when `short`."""
    shown = _DIGEST.sub(r"\1…", words) if short else words
    return safe(f"{label:<{LABEL - 2}}  ").stylize("$rb-muted") + safe(shown)


def shown_lines(shown: Mapping[str, Any], *, short: bool = False) -> Iterator[Content]:
    """Return what a question shows: rows of label and text, lines, or values by name."""
    for name, value in shown.items():
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, str | int | float):
            yield labelled(name.replace("_", " ").capitalize(), str(value))
        elif isinstance(value, Mapping):
            yield from (labelled(str(key), str(each)) for key, each in value.items())
        elif isinstance(value, Sequence):
            yield from (_shown_item(item, short=short) for item in value)


def _shown_item(item: object, *, short: bool) -> Content:
    if isinstance(item, Mapping):
        if {"label", "text"} <= item.keys():
            return labelled(str(item["label"]), str(item["text"]), short=short)
        return safe("  ".join(str(value) for value in item.values() if value is not None))
    if isinstance(item, Sequence) and not isinstance(item, str) and len(item) == 2:
        return labelled(str(item[0]), str(item[1]), short=short)
    return safe(str(item))
