"""A run that has not begun: its values as far as they are known, and looks that change nothing.

`plan` and `doctor` stand on this. Values that only a step will give are not known yet; what needs
them says so.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook_tui.actions import registry
from runbook_tui.definition.plan import Plan, PlanStep
from runbook_tui.engine import looks, outline
from runbook_tui.engine.driving import Place
from runbook_tui.engine.judging import Seen
from runbook_tui.engine.looks import Look
from runbook_tui.engine.ports import Order
from runbook_tui.engine.repository import Checkout
from runbook_tui.engine.values import SecretBox, Values
from state import fold
from state.run_state import AttemptState, RunState

AT_ONCE: Final = 8
"""Looks that are had at the same time."""

_EVERY: Final = 0.02


@dataclass(frozen=True, slots=True)
class Preview:
    """What is known of a run that might begin now."""

    plan: Plan
    place: Place
    state: RunState
    secrets: SecretBox
    folder: Path
    """Where its looks write; removed afterwards."""

    def values(self, step: PlanStep) -> Values:
        """Return the values that a step would see."""
        environment = self.plan.environments[step.environment]
        return Values(self.plan, self.state, environment, self.secrets, self.place.operator)

    def attempt(self, step: PlanStep) -> AttemptState:
        """Return an attempt as it would be intended."""
        spec = registry.spec(step.action)
        carries = spec.carries(self.state.run, step.id, self.state.started.commit)
        return AttemptState(1, step.action, "", "", "", "", carries=carries, reads=not spec.changes)

    def look(self, orders: Sequence[Callable[[Path], Order | Seen]]) -> list[Seen]:
        """Have looks, some at a time, and return what each found, in order.

        Each is given its directory, and returns its order or, when it has none, what is known.
        """
        found: dict[int, Seen] = {}
        going: dict[int, Look] = {}
        waiting = list(enumerate(orders))
        while waiting or going:
            while waiting and len(going) < AT_ONCE:
                number, make = waiting.pop(0)
                made = make(self.folder / f"look-{number}")
                if isinstance(made, Seen):
                    found[number] = made
                else:
                    going[number] = looks.begin(self.place.pool, made)
            for number, look in list(going.items()):
                seen = look.poll(self.place.pool)
                if seen is not None:
                    found[number] = seen
                    del going[number]
            if going:
                time.sleep(_EVERY)
        return [found[number] for number in range(len(orders))]


@contextmanager
def preview(plan: Plan, checkout: Checkout, place: Place) -> Iterator[Preview]:
    """Give what is known of a run that is not begun. Nothing of it is kept."""
    state = fold.foresee(None, outline.started(plan, checkout))
    with tempfile.TemporaryDirectory(prefix="runbook-") as folder:
        yield Preview(plan, place, state, SecretBox(place.read_secret), Path(folder))
