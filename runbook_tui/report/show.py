"""A run as `show --json` and `runs --json` give it: part of the command line's contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from state.observe import Observed, Seen, observe
from state.run_state import Adopted, AttemptState, Note, RunState, StepState
from state.stores.attempt_dir import AttemptDir
from state.stores.store import Store


def observed(state: RunState, store: Store) -> Observed:
    """Return how a run stands now: its record, and who is alive on this machine."""
    alive = {
        step.id: AttemptDir(store.directory / attempt.directory).live().alive
        for step, attempt in state.open_attempts()
        if store.begun_here(attempt)
    }
    return observe(state, Seen(store.leases.held_by("run", state.run) is not None, alive))


def show(state: RunState, store: Store) -> dict[str, Any]:
    """Return a run with its steps."""
    now = observed(state, store)
    steps = [_step(step, now, store) for step in state.steps.values() if not step.is_group]
    return {**summary(state, now), "origin": store.origin(state.run), "steps": steps}


def summary(state: RunState, now: Observed) -> dict[str, Any]:
    """Return a run without its steps."""
    return {
        "run": state.run,
        "runbook": state.started.runbook,
        "file": state.started.file,
        "environment": state.started.environment,
        "rehearsal": state.started.rehearsal,
        "status": now.status.value,
        "failures": state.failures,
        "operator": state.operator,
        "started_at": state.started_at,
        "ended_at": state.ended_at,
        "parameters": dict(state.parameters),
        "program": {"began": state.started.program, "last": state.program},
        "adopted": [_adopted(one) for one in state.adopted],
        "base": state.base,
        "rolled_back_by": state.rolled_back_by,
        "notes": [_note(note) for note in state.notes],
    }


def _adopted(one: Adopted) -> dict[str, Any]:
    event = one.event
    return {
        "at": one.at,
        "operator": one.operator,
        "changed": list(event.changed),
        "kept": list(event.kept),
        "definition": dict(event.definition),
    }


def _step(step: StepState, now: Observed, store: Store) -> dict[str, Any]:
    return {
        "id": step.id,
        "name": step.name,
        "phase": step.phase,
        "refs": list(step.refs),
        "action": step.action,
        "status": now.steps.get(step.id, step.status).value,
        "proof": step.proof,
        "adopted": step.adopted,
        "reason": step.reason,
        "notes": [_note(note) for note in step.notes],
        "outputs": dict(step.outputs),
        "evidence": _plain(step.evidence),
        "attempts": [_attempt(attempt, store) for attempt in step.attempts],
    }


def _attempt(attempt: AttemptState, store: Store) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "status": attempt.status.value,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "exit_code": attempt.exit_code,
        "verdict": attempt.verdict,
        "reason": attempt.reason,
        "undo": attempt.undo,
        "adopted": attempt.adopted,
        "outputs": dict(attempt.outputs),
        "by_host": {host: dict(values) for host, values in attempt.by_host.items()},
        "evidence": _plain(attempt.evidence),
        "log": str(store.directory / attempt.directory / "output.log"),
    }


def _note(note: Note) -> dict[str, str]:
    return {"text": note.text, "operator": note.operator, "host": note.host, "at": note.at}


def _plain(evidence: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"kind": one.get("kind"), "summary": one.get("summary"), "data": one.get("data", {})}
        for one in evidence
    ]
