"""The option `database` of several actions, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field

from runbook_tui.actions.api import Reach
from runbook_tui.actions.shared.fields import REFERENCE

Database = Annotated[
    str,
    Field(
        min_length=1,
        description="Connection to PostgreSQL: a `postgresql://` URL or a `key=value` string. "
        "Name it as a secret when it holds a password.",
    ),
]


def shown(options: Mapping[str, Any]) -> str:
    """Return where a step's database is, without its password."""
    text = str(options.get("database") or "")
    if REFERENCE in text or "://" not in text:
        words = [word for word in text.split() if not word.startswith("password=")]
        return text if REFERENCE in text else " ".join(words)
    parts = urlsplit(text)
    where = parts.netloc.rpartition("@")[2] or "the local socket"
    user = f" as {parts.username}" if parts.username else ""
    return f"{parts.path.lstrip('/') or 'default database'} at {where}{user}"


def reach(options: Mapping[str, Any]) -> tuple[Reach, ...]:
    """Return the database as something that `doctor` must be able to reach."""
    target = options.get("database")
    return (Reach("postgres", str(target)),) if target else ()
