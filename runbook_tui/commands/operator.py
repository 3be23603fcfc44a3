"""Who drives, and who sends."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runbook_tui.engine.sending import Sender


def operator() -> str:
    """Return who drives: `$RUNBOOK_OPERATOR`, or the login name."""
    named = os.environ.get("RUNBOOK_OPERATOR", "").strip()
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def sender() -> Sender:
    """Return who sends a message from here."""
    import socket

    from runbook_tui.engine.sending import Sender

    return Sender(operator(), socket.gethostname().partition(".")[0])
