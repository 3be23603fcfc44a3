"""What a step would do again: on which hosts, for which item, which parts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook_tui.ui.scene import Scene
from state.run_state import Question

AGAIN: Final = 21
"""Cells for names behind `r Run it again: only` in the narrowest bar."""
GO_ON: Final = 28
"""Cells for names behind `r Go on: only`."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is not done yet, by name; nothing when all of the step is meant.

    Of a step over hosts: on how many it is `done`, and how many of the names had not begun.
    """

    names: tuple[str, ...] = ()
    done: int = 0
    waiting: int = 0

    def __bool__(self) -> bool:
        return bool(self.names)

    def short(self, room: int) -> str:
        """Return the names in so many cells: of many the first ones, or only their number."""
        for count in range(len(self.names), 0, -1):
            rest = len(self.names) - count
            said = ", ".join(self.names[:count]) + (f" and {rest} more" if rest else "")
            if len(said) <= room:
                return said
        if len(self.names) == 1:
            return self.names[0]
        return f"the {len(self.names)} not done" if self.names else "what is missing"

    def told(self) -> str:
        """Return a sentence on the hosts that are done already; empty without any."""
        if not self.done:
            return ""
        count = self.done + len(self.names)
        said = f"Done on {self.done} of {count} hosts, and not run there again"
        return f"{said}; {self.waiting} had not begun." if self.waiting else f"{said}."


def of(scene: Scene, question: Question) -> Left:
    """Return what a new try of the step in question would be limited to."""
    shown = question.shown
    left, done, waiting = (shown.get(name) for name in ("left", "done", "waiting"))
    names = tuple(str(name) for name in left) if isinstance(left, list | tuple) else ()
    if names and (question.asks == "partial" or isinstance(done, int)):
        counts = (count if isinstance(count, int) else 0 for count in (done, waiting))
        return Left(names, *counts)
    step = next((one for one in scene.plan.steps() if one.id == question.step), None)
    if step is None or step.instance is None or question.asks == "partial":
        return Left()
    return Left((step.host.name if step.host is not None else step.item or step.instance,))
