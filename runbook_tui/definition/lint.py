"""What is wrong with a runbook that is well formed: all checks across its parts."""

from __future__ import annotations

from collections.abc import Mapping

from runbook_tui.definition.environments import Environment
from runbook_tui.definition.model import Runbook
from runbook_tui.definition.problems import Problem


def lint(
    runbook: Runbook,
    environments: Mapping[str, Environment] | None,
    others: Mapping[str, Runbook],
    problems: list[Problem],
) -> None:
    """Add what is wrong to `problems`."""
