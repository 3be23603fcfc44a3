"""Finding runs and steps by what was typed."""

from __future__ import annotations

from runbook_tui.definition.problems import UsageProblem, did_you_mean
from state.errors import CodecError, FoldError, NewerRecord, StoreCorrupt, StoreNewer
from state.fold import fold
from state.protocols import JournalReader
from state.run_state import RunState, StepState
from state.stores.store import Store


def run_state(journal: JournalReader, run: str) -> RunState:
    """Return a run as recorded. Raises UsageProblem when there is none, StoreCorrupt."""
    state = recorded(journal, run)
    if state is None:
        raise unknown(journal, run)
    return state


def unknown(journal: JournalReader, run: str) -> UsageProblem:
    """Return what to say about a run that is not there."""
    near = did_you_mean(run, journal.runs()[:12])
    return UsageProblem(f"There is no run {run}", near or "See runbook runs")


def recorded(journal: JournalReader, run: str) -> RunState | None:
    """Return a run as recorded, None when there is none.

    Raises StoreCorrupt, or StoreNewer, that names the run.
    """
    try:
        records = journal.read(run)
        return fold(records) if records else None
    except NewerRecord as problem:
        raise StoreNewer(
            f"The run {run} cannot be read by this program: {problem}",
            "Use the newer program for it. Other runs can be named",
        ) from problem
    except (CodecError, FoldError, StoreCorrupt) as problem:
        sentence = str(problem).removesuffix(".")
        raise StoreCorrupt(
            f"The record of run {run} is not intact: {sentence}",
            f"See where: runbook audit {run}. Other runs can be named",
        ) from problem


def unfinished(store: Store) -> str:
    """Return the one run of this store's own that is not over.

    Raises UsageProblem when there is none, or several.
    """
    own = [run for run in store.journal.runs() if store.origin(run) is None]
    found = [recorded(store.journal, run) for run in own]
    states = [state for state in found if state is not None]
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
