"""What an error of PostgreSQL, or of the way there, means to the operator. Holds no password."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg

from state.errors import StoreAway, StoreError, StoreFull, StoreUnusable

_MASK: Final = "***"
_FULL: Final = "53100"
_FORBIDDEN: Final = ("42501", "25006")
_BUSY: Final = ("55P03", "40P01", "40001")
_AWAY: Final = ("08", "57P", "53300", "25P03")
"""Beginnings of the states that end a connection, or refuse one for now."""


def place(url: str) -> str:
    """Return the URL as it may be shown: without password and without options."""
    parts = urlsplit(url)
    if ambiguous(url):
        return "postgresql://…"
    user, at, host = parts.netloc.rpartition("@")
    return f"postgresql://{user.partition(':')[0]}{at}{host}{parts.path}"


def ambiguous(url: str) -> bool:
    """Whether it is unclear where the password ends: a character in it is not escaped."""
    parts = urlsplit(url)
    return parts.netloc.count("@") > 1 or "@" in f"{parts.path}{parts.query}{parts.fragment}"


def unreadable() -> StoreUnusable:
    """Return the error for a URL that libpq cannot read; what it says may quote the password."""
    return StoreUnusable(
        "RUNBOOK_STATE is not the URL of a database.",
        "Write postgresql://USER@HOST:PORT/DATABASE; in a password, characters such as @ / : # "
        "are written as %40 %2F %3A %23.",
    )


def translate(problem: psycopg.Error, url: str, *, lost: bool) -> StoreError:
    """Return the error for the operator. `lost`: the connection is gone."""
    state = problem.sqlstate or ""
    where, why = place(url), _said(problem, url)
    if state == _FULL:
        return StoreFull(
            f"The disk of the database {where} is full: {why}.",
            "Free some space there, then resume; nothing recorded was lost.",
        )
    if state.startswith(_AWAY) or (lost and not state):
        return StoreAway(
            f"The database {where} cannot be reached: {why}.",
            "See that it runs and that the network and the password are right, then try again.",
        )
    if state in _FORBIDDEN:
        return StoreUnusable(
            f"The database {where} does not allow it: {why}.",
            "Have its owner let your role in: GRANT runbook TO your_role (docs/shared-journal.md).",
        )
    if state in _BUSY:
        # Whoever keeps it may be stopped, and be let go on at any time: to be waited for.
        return StoreAway(
            f"The journal in {where} was kept busy by somebody else: {why}.", "Try again."
        )
    return StoreUnusable(f"The database {where} cannot be used: {why}.", "See its log.")


def _said(problem: psycopg.Error, url: str) -> str:
    """Return the last line that the database, or libpq, said, as part of a sentence."""
    said = problem.diag.message_primary or str(problem)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    # Of several addresses libpq tries each; the last word is on the last.
    words = next((line for line in lines if "FATAL" in line), lines[0] if lines else "no reason")
    words = words.removeprefix("connection failed: ").rstrip(".")
    for secret in _passwords(url):
        words = words.replace(secret, _MASK)
    return words


def _passwords(url: str) -> list[str]:
    """Return the URL's passwords, as written and as meant."""
    parts = urlsplit(url)
    given = [parts.password or "", *parse_qs(parts.query).get("password", [])]
    return [form for one in given if one for form in {one, unquote(one)}]
