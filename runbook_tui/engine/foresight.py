"""What a run would do, step by step, and what a look at each effect finds there already.

The looks are those of the resume: the action's probe, and the author's `verify`, each in a worker
that changes nothing. A step that needs an earlier one's output is looked at when that one's look
has found its effect with the output, and otherwise not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from runbook_tui.actions import registry
from runbook_tui.definition import when
from runbook_tui.definition.ids import instance_id
from runbook_tui.definition.plan import Condition, Plan, PlanStep, When
from runbook_tui.definition.substitute import MissingValueError
from runbook_tui.engine import glances, jobs, judging, preview
from runbook_tui.engine.driving import Place
from runbook_tui.engine.jobs import Act
from runbook_tui.engine.judging import LookKind, Seen
from runbook_tui.engine.looks import Look
from runbook_tui.engine.ports import Order, WorkerPool
from runbook_tui.engine.preview import Preview
from runbook_tui.engine.repository import Checkout
from runbook_tui.engine.values import MASK
from state.run_state import AttemptState
from state.status import StepStatus, Verdict

AT_ONCE: Final = 4
"""Steps whose looks go on at the same time."""

LOOK_WITHIN: Final = 20.0
"""Seconds for one look; a dead backend is not waited for longer."""

ALL_WITHIN: Final = 90.0
"""Seconds for all looks; what has not been begun by then is not looked at."""

_SCRIPTS: Final = ("run", "ssh")
"""Actions of which nobody but their author knows whether they change anything."""

_STANDS: Final = {
    Verdict.PRESENT: "there",
    Verdict.ABSENT: "not there",
    Verdict.PARTIAL: "partly there",
    Verdict.RUNNING: "at it now",
    Verdict.UNKNOWN: "not found out",
}
_WILL: Final = {"typed": "you type", "ask": "you confirm", "approval": "somebody approves"}


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One step of a plan. `verdict` and `summary` are the look's; None and why, without one.

    `rows` say what the step does, secrets masked. `met` is what its condition comes to, None when
    only the run can tell.
    """

    step: PlanStep
    rows: tuple[tuple[str, str], ...]
    changes: bool
    met: bool | None = True
    verdict: Verdict | None = None
    summary: str = ""
    found: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def there(self) -> bool:
        """Whether its effect is there already."""
        return self.verdict is Verdict.PRESENT

    @property
    def asks(self) -> bool:
        """Whether a person is asked."""
        return self.met is not False and (
            self.step.action == "manual" or self.step.confirm != "none"
        )

    @property
    def will(self) -> str:
        """What will happen, in two or three words."""
        if self.met is False:
            return "left out"
        if self.step.action in ("manual", "wait", "join"):
            return "you do it" if self.step.action == "manual" else "waits"
        if self.there:
            return "is there"
        if self.step.confirm in _WILL:
            return _WILL[self.step.confirm]
        if not self.changes:
            return "only reads"
        return "will run" if self.step.action in _SCRIPTS else "will change"

    @property
    def in_short(self) -> str:
        """What stands beside the step's name: what is there, or what it is about."""
        telling = (Verdict.PRESENT, Verdict.PARTIAL, Verdict.RUNNING)
        of_goal = registry.spec(self.step.action).proof == "state"
        if self.verdict in telling or (of_goal and self.verdict is Verdict.ABSENT):
            return self.summary
        said = [text for _, text in self.rows if text and text != MASK]
        return said[0] if said else self.summary

    @property
    def details(self) -> tuple[str, ...]:
        """All that is known, a line each, labels in a column of twelve."""
        lines = [f"{label:<12}{text}" for label, text in self.rows]
        if self.summary:
            stands = "" if self.verdict is None else f"{_STANDS[self.verdict]}: "
            lines.append(f"{'Looked':<12}{stands}{self.summary}")
        labelled = (("There", self.found), ("Missing", self.missing))
        lines += [
            f"{label:<12}{line}"
            for label, said in labelled
            for line in said
            if line != self.summary
        ]
        return tuple(lines)


def foresee(plan: Plan, checkout: Checkout, place: Place) -> list[Foreseen]:
    """Return what each step would do and find. Changes nothing, journals nothing."""
    seen = preview.of(plan, checkout, place)
    with glances.directories() as fresh:
        return _Looking(seen, place.pool, fresh).all()


class _Looking:
    """The looks of one plan, as many at once as may be, each when its values are known."""

    def __init__(self, seen: Preview, pool: WorkerPool, fresh: Callable[[], Path]) -> None:
        self._seen = seen
        self._pool = pool
        self._fresh = fresh
        self._names = {step.id: step.name for step in seen.plan.steps()}
        self._outer = {
            step.id: group.each.head.when
            for group in seen.plan.groups()
            if group.each is not None
            for step in group.steps
        }
        """Conditions of the `each` that a step belongs to: it does not repeat them itself."""
        self._done: dict[str, Foreseen] = {}
        self._going: dict[str, tuple[Foreseen, list[Look]]] = {}
        self._ends = time.monotonic() + ALL_WITHIN

    def all(self) -> list[Foreseen]:
        """Look at every step."""
        waiting = list(self._seen.plan.steps())
        while waiting or self._going:
            if not self._begin_ready(waiting) and not self._poll():
                time.sleep(0.02)
        return [self._done[id_] for id_ in self._names]

    def _begin_ready(self, waiting: list[PlanStep]) -> bool:
        begun = False
        for step in list(waiting):
            if len(self._going) < AT_ONCE and self._needs(step) <= self._done.keys():
                waiting.remove(step)
                self._begin(step)
                begun = True
        return begun

    def _needs(self, step: PlanStep) -> set[str]:
        """Return the steps whose outputs or outcome this one asks for."""
        refs = [*preview.references_in(step.options)]
        refs += preview.references_in(step.verify.options) if step.verify else ()
        wanted = set(preview.given_by(self._seen.plan, refs))
        if step.instance is not None:
            wanted |= {instance_id(id_, step.instance) for id_ in wanted}
        return wanted & self._names.keys()

    def _begin(self, step: PlanStep) -> None:
        spec = registry.spec(step.action)
        shown = self._seen.filled(step, step.options, shown=True)
        rows = tuple((row.label, row.text) for row in spec.describe(shown))
        changes = spec.changes_with(step.options)
        begun = Foreseen(step, rows, changes, self._met(step))
        kinds = self._kinds(step, changes)
        why = self._why_not(step)
        if begun.met is False or not kinds or why is not None:
            self._done[step.id] = replace(begun, summary=why if kinds and why else "")
            return
        try:
            orders = [self._order(step, kind) for kind in kinds]
        except jobs.NotReadyError as problem:
            said = problem.sentence.removeprefix(f"{step.name} cannot begin: ")
            self._done[step.id] = replace(begun, summary=f"not looked at: {said}")
            return
        self._going[step.id] = (
            begun,
            [glances.begin(self._pool, one, LOOK_WITHIN) for one in orders],
        )

    def _kinds(self, step: PlanStep, changes: bool) -> tuple[LookKind, ...]:
        spec = registry.spec(step.action)
        # A record of its own end is kept by what has begun, and nothing has.
        looks = spec.probes_with(step.options) and not spec.records and spec.worker and changes
        probe: tuple[LookKind, ...] = ("probe",) if looks else ()
        return (*probe, "verify") if step.verify is not None else probe

    def _why_not(self, step: PlanStep) -> str | None:
        """Return why a step cannot be looked at, or None."""
        if time.monotonic() > self._ends:
            return "not looked at: the looks before took too long"
        for id_ in self._needs(step):
            if not self._done[id_].there:
                return f"known after {self._names[id_]}"
        return None

    def _met(self, step: PlanStep) -> bool | None:
        """Return what the step's condition comes to, if that is known before the run."""
        conditions = (*self._outer.get(step.id, ()), *step.when)
        if any(one.step or (one.value or "").startswith("steps.") for one in _all(conditions)):
            return None
        try:
            decided = when.decide(conditions, self._seen.values(step).real, lambda id_: None)
        except (when.ConditionTextError, MissingValueError):
            return None
        return decided.result

    def _order(self, step: PlanStep, kind: LookKind) -> Order:
        act = _without_waiting(jobs.look_of(step, kind))
        directory = self._fresh()
        state = self._seen.state
        attempt = AttemptState(
            number=1,
            action=step.action,
            directory=str(directory),
            machine="",
            boot="",
            started_at="",
            carries=registry.spec(step.action).carries(state.run, step.id, state.started.commit),
        )
        order = jobs.order(act, self._seen.values(step), directory, attempt, directory.parent)
        return replace(order, graces=glances.GRACES)

    def _poll(self) -> bool:
        moved = False
        for id_, (begun, looks) in list(self._going.items()):
            found = [look.poll(self._pool) for look in looks]
            seen = [one for one in found if one is not None]
            if len(seen) == len(looks):
                del self._going[id_]
                self._done[id_] = _judged(begun, seen)
                self._hand_on(id_, seen)
                moved = True
        return moved

    def _hand_on(self, id_: str, seen: list[Seen]) -> None:
        """Give later steps the outputs of one that is there."""
        if not self._done[id_].there:
            return
        outputs, by_host = judging.handed_on(seen)
        state = self._seen.state
        stands = replace(
            state.steps[id_], status=StepStatus.SUCCEEDED, outputs=outputs, by_host=by_host
        )
        self._seen.state = replace(state, steps=state.steps.updated({id_: stands}))


def _all(whens: tuple[When, ...]) -> Iterator[Condition]:
    for one in whens:
        yield from one.conditions


def _without_waiting(act: Act) -> Act:
    """Return the act without `until`: one look is enough here."""
    options: Mapping[str, Any] = {
        key: value for key, value in act.options.items() if key != "until"
    }
    return replace(act, options=options)


def _judged(begun: Foreseen, seen: list[Seen]) -> Foreseen:
    verdict = judging.worst(seen)
    said = "; ".join(dict.fromkeys(one.summary for one in seen if one.verdict is verdict))
    return replace(
        begun,
        verdict=verdict,
        summary=said,
        found=tuple(line for one in seen for line in one.found),
        missing=tuple(line for one in seen for line in one.missing),
    )
