"""What a screen says after a resume: what became of the steps in flight, and what has changed."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from runbook_tui.ui.backend import Audited
from runbook_tui.ui.clock import local, moment
from runbook_tui.ui.scene import Scene
from state.run_state import DRIFT, Question, RunState, StepState
from widgets.glyphs import MARK_STYLES, WORDS
from widgets.rows import text
from widgets.safe import safe
from widgets.text_pane import Section


def resume_sections(
    scene: Scene, before: RunState | None, audited: Audited | None
) -> tuple[Section, ...]:
    """Return "While you were away": what was found at the steps that were in flight."""
    state = scene.state
    lines: list[Content] = []
    was = {
        stands.id: attempt.number
        for stands, attempt in (before.open_attempts() if before is not None else ())
    }
    for step, number in was.items():
        stands = state.steps[step]
        mark = text((scene.glyphs.marks[stands.status], MARK_STYLES[stands.status]), " ")
        when = f"ended {local(stands.ended_at)}" if stands.done else WORDS[stands.status]
        if stands.open_attempt is not None:
            question = state.question_on(step)
            there = question is not None and question.asks == "elsewhere"
            when = f"goes on, on {stands.open_attempt.host}" if there else "goes on"
        lines.append(mark + safe(f"{stands.name:<26} {when}"))
        lines += [text("    ") + safe(line) for line in _known_by(stands, number)]
    if not lines:
        lines.append(text("No step was running."))
    half = {one.step for one in state.questions if one.asks == "partial"}
    unknown = [
        f"{stands.name} (half done)" if stands.id in half else stands.name
        for stands in state.steps.values()
        if stands.status == "unknown"
    ]
    away = ", ".join(
        str(one.shown.get("host")) for one in state.questions if one.asks == "elsewhere"
    )
    tail = (
        safe(f"Not clear by itself: {', '.join(unknown)}. You are asked.")
        if unknown
        else safe(f"What happens on {away} cannot be seen from here: you are asked.")
        if away
        else text("Nothing was run twice. Nothing is unknown."),
        *_definition(state),
    )
    seen = before or state
    last = f"Last seen {local(seen.at)}, {seen.driver}."
    return (
        Section((safe(last), text(), *lines, text(), *tail), indent=4),
        Section(tuple(_differs(state)), indent=_UNDER_THE_STEP),
        Section(tuple(_chain(state.run, audited)), indent=4),
    )


def _known_by(stands: StepState, number: int) -> Iterator[str]:
    """Say how it is known what became of a step whose attempt `number` was in flight."""
    last = stands.last
    if stands.adopted:
        yield "found done, by looking"
    elif stands.reason:
        yield stands.reason
    elif stands.done and last is not None and last.number == number:
        code = "" if last.exit_code is None else f"; exit {last.exit_code}"
        yield f"found by its result file{code}"
    elif last is not None and last.number > number:
        yield f"begun again: try {last.number}"
    if stands.done:
        summaries = [str(one.get("summary") or "") for one in stands.evidence]
        told = [one for one in summaries if one and not one.startswith("exit code")]
        yield from told[:MOST_EVIDENCE]
        if len(told) > MOST_EVIDENCE:
            yield f"and {len(told) - MOST_EVIDENCE} more: its evidence is under 3"


MOST_EVIDENCE = 3
"""So many pieces of evidence are shown of a step."""
MOST_LINES = 60
"""So many lines of what has changed are shown."""
_UNDER_THE_STEP = len("  changed  ")


def _definition(state: RunState) -> Iterator[Content]:
    """Say which definition goes on, how the files differ from it, and which program drives."""
    if state.program != state.started.program:
        yield safe(
            f"It began with version {state.started.program} of this program and goes on with "
            f"{state.program}."
        )
    goes_by = "as it was at the start"
    if state.adopted:
        last = state.adopted[-1]
        goes_by = f"as {last.operator} took it on {local(last.at)}"
    if not state.changed:
        yield safe(f"The run goes on with the runbook {goes_by}.")
        return
    if _asked(state) is None:
        changed = ", ".join(state.changed)
        yield safe(f"The runbook has changed at: {changed}. The run keeps its own, {goes_by}.")
        if state.refused:
            yield safe(f"The change cannot be taken on: {state.refused}.")
        return
    yield safe("The runbook has changed. Nothing starts until you decide (d).")
    yield safe(f"What is safe: the run goes on with it {goes_by}. What differs:")


def _asked(state: RunState) -> Question | None:
    return next((one for one in state.questions if one.asks == DRIFT), None)


def _differs(state: RunState) -> Iterator[Content]:
    """Say step by step how the files differ, while that is asked about."""
    question = _asked(state)
    if question is None or not state.changed:
        return
    lines = question.shown.get("lines")
    found = [str(line) for line in lines] if isinstance(lines, list | tuple) else []
    yield from (safe(f"  {line}") for line in found[:MOST_LINES])
    if len(found) > MOST_LINES:
        yield safe(f"  and {len(found) - MOST_LINES} lines more")


def _chain(run: str, audited: Audited | None) -> Iterator[Content]:
    """Say whether the journal is as it was written."""
    if audited is None:
        return
    events = f"Events 1–{audited.events}"
    if not audited.faults:
        yield text(f"{events} verified: chain is whole.")
        return
    yield text((f"{events}: the chain is NOT whole.", "bold $rb-bad"))
    yield safe(audited.faults[0])
    yield safe(f"See: runbook audit {run}")


def away(scene: Scene) -> float:
    """Return the seconds since the last event of the journal."""
    last = moment(scene.state.at)
    return max(0.0, (scene.now - last).total_seconds()) if last else 0.0
