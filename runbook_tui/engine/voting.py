"""Approving or refusing, from outside, what an operator is about to do."""

from __future__ import annotations

from runbook_tui.definition.problems import UsageProblem
from runbook_tui.engine import approvals, clock, sending
from runbook_tui.engine.sending import Sender
from state.messages import Message
from state.run_state import RunState
from state.stores.store import Store


def vote(store: Store, state: RunState, step: str, kind: str, reason: str, own: Sender) -> str:
    """Send an approval or a refusal of a step, and return what came of it, in words.

    Raises UsageProblem when the step waits for none, or it does not count; StoreError.
    """
    advice = f"See: runbook show {state.run}"
    question = state.question_on(step)
    if question is None or question.asks != approvals.ASKS:
        raise UsageProblem(approvals.no_question(state, step), advice)
    data = approvals.data(question, state, reason)
    held = store.leases.held_by("run", state.run)
    driver = held.holder.role if held is not None and held.holder is not None else None
    role = store.identities.own() or ""
    draft = Message("", state.run, kind, data, own.name, own.host, clock.utc(), role)
    found = approvals.events(draft, state, store.identities, driver)
    if isinstance(found, str):
        raise UsageProblem(f"It does not count: {found}", advice)
    message, after = sending.send(store, state.run, kind, data, own)
    taken = sending.heard(store, message, after)
    done = "approved" if kind == approvals.APPROVE else "refused"
    if taken is None:
        return f"{done}; whoever takes {state.run} up within the hour takes it along"
    if taken.refused:
        raise UsageProblem(f"It does not count: {taken.refused}", advice)
    return f"{done}: {step} of {state.run}"
