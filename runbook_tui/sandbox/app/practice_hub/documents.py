"""Documents that users upload; each is kept with its SHA-256."""

from __future__ import annotations

import hashlib

from .database import Database
from .limits import MAX_LISTED


def store(database: Database, owner: int, name: str, content: bytes) -> dict[str, object]:
    """Keep a document and return what is known of it."""
    digest = hashlib.sha256(content).hexdigest()
    rows = database.rows(
        "documents",
        "insert into documents (owner, name, content, sha256) values (%s, %s, %s, %s) returning id",
        [owner, name, content, digest],
    )
    return {"id": rows[0][0], "name": name, "size": len(content), "sha256": digest}


def listed(database: Database, owner: int) -> list[dict[str, object]]:
    """Return a user's documents, newest first."""
    rows = database.rows(
        "documents",
        "select id, name, octet_length(content), sha256 from documents"
        " where owner = %s order by id desc limit %s",
        [owner, MAX_LISTED],
    )
    return [
        {"id": id_, "name": name, "size": size, "sha256": sum_} for id_, name, size, sum_ in rows
    ]


def content(database: Database, owner: int, id_: int) -> bytes | None:
    """Return a document's bytes, None when the user has no such document."""
    rows = database.rows(
        "documents",
        "select content from documents where id = %s and owner = %s",
        [id_, owner],
    )
    return bytes(rows[0][0]) if rows else None
