"""What one picture of a run is made from. Pure: nothing here reads or acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runbook_tui.ui.clock import between
from state.run_state import RunState
from state.stores.signals import HostState
from widgets.glyphs import UNICODE, Glyphs

if TYPE_CHECKING:
    from runbook_tui.definition.plan import Plan, PlanStep
    from runbook_tui.engine.attending import Online
    from runbook_tui.ui.backend import Driven


@dataclass(frozen=True, slots=True)
class Peek:
    """What a running attempt says about itself besides its log."""

    progress: str = ""
    last: tuple[str, ...] = ()
    samples: tuple[Mapping[str, Any], ...] = ()
    hosts: tuple[HostState, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """All that one picture of a run is made from."""

    plan: Plan
    state: RunState
    now: datetime
    glyphs: Glyphs = UNICODE
    peeks: Mapping[str, Peek] = field(default_factory=dict)
    driving: bool = True
    held: bool = False
    """The operator wants nothing new to start."""
    away: str = ""
    """Why the journal cannot be reached; empty while it can."""
    driven: Driven | None = None
    """Who drives instead of this session, if anybody does."""
    online: Sequence[Online] | None = None
    """Who watches, while others are asked to approve; None: that is not known."""
    me: str = ""
    """Who looks: `operator@host`."""


def time_taken(scene: Scene, step: str) -> float | None:
    """Return the seconds that a step has taken so far; None before it began."""
    stands = scene.state.steps.get(step)
    if stands is None or stands.started_at is None:
        return None
    return between(stands.started_at, stands.ended_at, scene.now)


def planned_step(plan: Plan, step: str) -> PlanStep | None:
    """Return a step as planned; None for a group and for what the plan does not have."""
    try:
        return plan.step(step)
    except KeyError:
        return None
