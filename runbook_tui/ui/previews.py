"""What Launch shows before a run begins, from the engine's looks: plan lines and checks."""

from __future__ import annotations

from collections.abc import Sequence

from runbook_tui.engine import preflight
from runbook_tui.engine.driving import Place
from runbook_tui.engine.foresight import Foreseen, foresee
from runbook_tui.engine.session import Prepared
from runbook_tui.ui.backend import Check, PlanFound


def found(prepared: Prepared, place: Place) -> Sequence[PlanFound]:
    """Return one line a step: what it would do, what is there, and whether it asks."""
    return [_line(one) for one in foresee(prepared.plan, prepared.checkout, place)]


def _line(one: Foreseen) -> PlanFound:
    return PlanFound(
        step=one.step.id,
        name=one.step.name,
        found=one.in_short,
        will=one.will,
        there=one.there,
        asks=one.asks,
        changes=one.changes and not one.there and one.met is not False,
        usual=one.step.usually,
        details=one.details,
    )


def checks(prepared: Prepared, place: Place) -> Sequence[Check]:
    """Return whether all that the run needs can be had."""
    made = preflight.preflight(prepared.plan, prepared.checkout, place)
    return [Check(one.name, one.sentence, one.level, one.mend) for one in made]
