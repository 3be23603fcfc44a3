"""What a run would do, step by step, and what is there already: for `plan` and Launch.

Looks at each effect with the step's own probe and `verify`; changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runbook_tui.actions import registry
from runbook_tui.definition.plan import Plan, PlanStep
from runbook_tui.engine import jobs, showing
from runbook_tui.engine.driving import Place
from runbook_tui.engine.judging import LookKind, Seen, worst
from runbook_tui.engine.ports import Order
from runbook_tui.engine.previewing import Preview, preview
from runbook_tui.engine.repository import Checkout
from state.status import Verdict

Asks = Literal["none", "ask", "typed", "approval", "manual"]


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One step. `verdict` is None where nothing can be looked at before the run."""

    step: PlanStep
    rows: tuple[tuple[str, str], ...]
    changes: bool
    asks: Asks
    verdict: Verdict | None
    found: str
    lines: tuple[str, ...] = ()
    """What is there and what is missing, a line each."""


def plan_rows(plan: Plan, checkout: Checkout, place: Place) -> list[PlanRow]:
    """Return a row for each step, in order, probed now."""
    with preview(plan, checkout, place) as seen_from:
        steps = list(plan.steps())
        wanted = [(step, kind) for step in steps for kind in _kinds(seen_from, step)]
        found = seen_from.look([_order(seen_from, step, kind) for step, kind in wanted])
        by_step: dict[str, list[Seen]] = {}
        for (step, _), seen in zip(wanted, found, strict=True):
            by_step.setdefault(step.id, []).append(seen)
        return [_row(seen_from, step, by_step.get(step.id, [])) for step in steps]


def _kinds(seen_from: Preview, step: PlanStep) -> tuple[LookKind, ...]:
    spec = registry.spec(step.action)
    if not spec.changes_with(step.options):
        return ()
    probe: tuple[LookKind, ...] = ("probe",) if spec.probes else ()
    return (*probe, "verify") if step.verify is not None else probe


def _order(seen_from: Preview, step: PlanStep, kind: LookKind) -> Callable[[Path], Order | Seen]:
    def make(directory: Path) -> Order | Seen:
        try:
            return jobs.order(
                jobs.look_of(step, kind),
                seen_from.values(step),
                directory,
                seen_from.attempt(step),
                seen_from.place.state,
            )
        except jobs.NotReadyError:
            return Seen(kind, Verdict.UNKNOWN, "not known before the steps it depends on")

    return make


def _row(seen_from: Preview, step: PlanStep, seen: list[Seen]) -> PlanRow:
    spec = registry.spec(step.action)
    return PlanRow(
        step=step,
        rows=tuple((label, text) for label, text in showing.rows(step, seen_from.values(step))),
        changes=spec.changes_with(step.options),
        asks="manual" if step.action == "manual" else step.confirm,
        verdict=worst(seen) if seen else None,
        found="; ".join(dict.fromkeys(one.summary for one in seen)),
        lines=tuple(line for one in seen for line in (*one.found, *one.missing)),
    )
