"""Ids made from names, and those of steps that `each` repeats. Pure."""

from __future__ import annotations

import re
import unicodedata


def slug(name: str) -> str:
    """Return the id made from a name: ASCII letters, digits and hyphens, at most 64."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:64].strip("-")


def instance_id(step: str, name: str) -> str:
    """Return the id of a step for one host or item."""
    return f"{step}@{name}"


def instance_name(name: str, value: str) -> str:
    """Return the name of a step for one host or item."""
    return f"{name} ({value})"


def template_of(step: str) -> str:
    """Return the id as written of a step that may be for one host or item."""
    return step.partition("@")[0]
