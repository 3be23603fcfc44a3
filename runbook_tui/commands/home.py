"""`runbook` without a command."""

from __future__ import annotations

import sys

from runbook_tui.definition.problems import UsageProblem


def home() -> int:
    """Show Home. Raises UsageProblem without a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageProblem(
            "The screen needs a terminal", "See runbook --help for what works without"
        )
    from runbook_tui.commands.screen import home as show

    return show()
