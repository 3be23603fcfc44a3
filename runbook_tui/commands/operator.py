"""Who drives."""

from __future__ import annotations

import getpass
import os


def operator() -> str:
    """Return who drives: `$RUNBOOK_OPERATOR`, or the login name."""
    named = os.environ.get("RUNBOOK_OPERATOR", "").strip()
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
