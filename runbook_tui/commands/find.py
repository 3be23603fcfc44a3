"""Finding runs and steps by what was typed."""

from __future__ import annotations

from runbook_tui.definition.problems import UsageProblem, did_you_mean
from state.fold import fold
from state.protocols import JournalReader
from state.run_state import RunState, StepState


def run_state(journal: JournalReader, run: str) -> RunState:
    """Return a run as recorded. Raises UsageProblem when there is none."""
    records = journal.read(run)
    if not records:
        near = did_you_mean(run, journal.runs()[:12])
        raise UsageProblem(f"There is no run {run}", near or "See runbook runs")
    return fold(records)


def unfinished(journal: JournalReader) -> str:
    """Return the one run that is not over. Raises UsageProblem when there is none, or several."""
    states = [fold(records) for run in journal.runs() if (records := journal.read(run))]
    # Of a run that is being rolled back, the linked run is the one to go on with.
    open_ = [state.run for state in states if not state.final and state.rollback_by is None]
    if not open_:
        raise UsageProblem("Every run is over", "Start one with: runbook run FILE")
    if len(open_) > 1:
        raise UsageProblem(f"{len(open_)} runs are not over: {', '.join(open_)}", "Name one")
    return open_[0]


def step_state(state: RunState, step: str) -> StepState:
    """Return a step of a run. Raises UsageProblem when there is none."""
    found = state.steps.get(step)
    if found is None:
        raise UsageProblem(
            f"The run {state.run} has no step {step}",
            did_you_mean(step, list(state.steps)) or f"See runbook show {state.run}",
        )
    return found
