"""The third column of wide terminals: plan, help, evidence, notes, whom to call. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runbook_tui.ui import panes
from runbook_tui.ui.labels import LABEL
from runbook_tui.ui.scene import Scene
from widgets.failure_panel import call_lines
from widgets.rows import text
from widgets.safe import safe_lines
from widgets.text_pane import Section

if TYPE_CHECKING:
    from runbook_tui.definition.plan import PlanStep


def side_sections(
    scene: Scene, step: PlanStep | None, described: Sequence[tuple[str, str]]
) -> tuple[Section, ...]:
    """Return all that is known of a step besides its log."""
    sections: list[Section] = []
    if step is not None:
        planned = panes.plan_sections(scene, step, described, short=True)
        plan = [line for part in planned for line in part.lines]
        sections.append(Section(tuple(plan), text("Plan"), indent=LABEL, cut=True))
        if step.help:
            sections.append(Section(tuple(safe_lines(step.help)), text("Author's help"), keep=9))
        stands = scene.state.steps.get(step.id)
        evidence = [line for part in panes.proofs(stands) for line in part.lines]
        shown = tuple(evidence) or (text("No evidence yet."),)
        count = str(len(evidence)) if evidence else ""
        sections.append(Section(shown, text("Evidence so far"), count, indent=2, keep=8))
    notes = panes.notes_section(scene.state)
    sections.append(Section(notes.lines, text("Notes"), indent=2, keep=6))
    people = panes.contacts(scene)
    if people:
        sections.append(Section(call_lines(people), text("Call"), indent=2))
    return tuple(sections)
