"""From what a run would do, and what it needs, to the words of the screen that starts it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from runbook_tui.ui.backend import Check, PlanFound
from state.status import StepStatus
from widgets.ask import Ask
from widgets.choices import Choice
from widgets.durations import lasting
from widgets.plan_table import PlanLine
from widgets.rows import text
from widgets.safe import safe

START = "launch"
"""The id of the question that starts the run."""

_LEVELS = {"good": "good", "warns": "warn", "blocks": "block"}


def plan_line(found: PlanFound) -> PlanLine:
    """Return a step of the plan, with what was found there, as the table shows it."""
    mark = StepStatus.SUCCEEDED if found.there else StepStatus.WAITING if found.asks else None
    usual = lasting(found.usual) if found.usual else ""
    return PlanLine(
        found.step, found.name, mark, found.found, found.will, usual, tuple(found.details)
    )


def counts(checks: Sequence[Check]) -> list[str]:
    """Return how many checks are good, warn and block, without those that none is."""
    count = {level: sum(check.level == level for check in checks) for level in _LEVELS}
    return [f"{count[level]} {word}" for level, word in _LEVELS.items() if count[level]]


def blocked(checks: Sequence[Check]) -> str:
    """Say how many checks keep the run from starting; empty when none does."""
    blocks = sum(check.level == "blocks" for check in checks)
    many = "1 check blocks" if blocks == 1 else f"{blocks} checks block"
    return f"{many}. Mend it; tab to it, enter checks again." if blocks else ""


def start_question(
    title: str,
    place: tuple[str, bool] | None,
    found: Sequence[PlanFound],
    checks: Sequence[Check],
    *,
    checking: bool,
) -> Ask:
    """Return the question that starts the run. `place` is its environment, and whether protected.

    In a protected one the name is typed; nothing else starts the run there.
    """
    name, protected = place or ("", False)
    change = sum(each.changes for each in found)
    asks = sum(each.asks for each in found)
    steps = _many(change, "step changes", "steps change")
    lines = [text(f"{steps} something; asks you {_many(asks, 'time', 'times')}.")]
    warns = [check.name for check in checks if check.level == "warns"]
    if warns:
        lines.append(safe(f"Warned: {', '.join(warns)}."))
    if checking:
        lines.append(text("Preflight is still checking."))
    where = f" in {name}" if name else ""
    choices: tuple[Choice, ...] = (Choice("", "Not yet"),)
    if not protected:
        choices = (*choices, Choice("start", "Start", "y"))
    return Ask(
        START,
        safe(f"Start {title}{where}?"),
        tuple(lines),
        choices,
        typed=name if protected else "",
        value="start",
    )


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
