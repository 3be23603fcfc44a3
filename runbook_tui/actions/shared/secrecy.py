"""Tells whether a text holds a secret, in any of the variants that redaction knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runbook_tui.redact import Redactor


def first_with_secret(texts: Iterable[str], secrets: Sequence[str]) -> int | None:
    """Return the place of the first text that holds a secret, counted from 0."""
    redactor = Redactor(secrets)
    return next((at for at, text in enumerate(texts) if redactor.redact_text(text) != text), None)
