"""What Launch shows before a run begins, from the engine's looks: plan lines and checks."""

from __future__ import annotations

from collections.abc import Sequence

from runbook_tui.engine import plan_rows, preflight
from runbook_tui.engine.driving import Place
from runbook_tui.engine.plan_rows import PlanRow
from runbook_tui.engine.session import Prepared
from runbook_tui.ui.backend import Check, PlanFound
from state.status import Verdict

_ASKS = {"typed": "you type", "ask": "you confirm", "approval": "approval", "manual": "you do it"}
_STANDS = {
    Verdict.PRESENT: "is there",
    Verdict.PARTIAL: "partly there",
    Verdict.RUNNING: "runs already",
    Verdict.UNKNOWN: "not known",
}


def found(prepared: Prepared, place: Place) -> Sequence[PlanFound]:
    """Return one line a step: what it would do, what is there, and whether it asks."""
    rows = plan_rows.plan_rows(prepared.plan, prepared.checkout, place)
    return [_line(row) for row in rows]


def _line(row: PlanRow) -> PlanFound:
    there = row.verdict is Verdict.PRESENT
    if there:
        will = "is there"
    elif row.asks in _ASKS:
        will = _ASKS[row.asks]
    elif not row.changes:
        will = "only reads"
    else:
        will = "will change"
    described = row.rows[0][1] if row.rows else ""
    stands = _STANDS.get(row.verdict) if row.verdict is not None else None
    details = [f"{label:<12}{words}" for label, words in row.rows]
    if stands is not None:
        details.append(f"{'Found':<12}{stands}: {row.found}")
    return PlanFound(
        step=row.step.id,
        name=row.step.name,
        found=row.found if there and row.found else described,
        will=will,
        there=there,
        asks=row.asks != "none",
        usual=row.step.usually,
        details=(*details, *row.lines),
    )


def checks(prepared: Prepared, place: Place) -> Sequence[Check]:
    """Return whether all that the run needs can be had."""
    made = preflight.preflight(prepared.plan, prepared.checkout, place)
    return [Check(one.name, one.sentence, one.level, one.mend) for one in made]
