"""Approvals: what they are given for, whose count, and until when. Pure but for who is who.

An approval is another person's, by the word of the database: `identity` is the role that the
message came in under, and nobody can make that up. It is bound to the run, the step's try, the
definition and the parameters that it was given for, and counts for an hour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from runbook_tui.definition.plan import Plan, PlanStep
from runbook_tui.engine import clock
from state.codec import canonical
from state.events import ApprovalGiven, Payload, QuestionAnswered
from state.json_value import Json
from state.messages import Message
from state.protocols import Identities
from state.run_state import Approval, Question, RunState

ASKS: Final = "approval"
APPROVE: Final = "approve"
DENY: Final = "deny"

LASTS: Final = 3600.0
"""Seconds for which an approval counts, from when it was sent."""


def binding(state: RunState, step: str) -> str:
    """Return what an approval of the step's next try is bound to, as a SHA-256."""
    about: dict[str, Json] = {
        "run": state.run,
        "step": step,
        "try": len(state.steps[step].attempts) + 1,
        "definition": dict(state.definition),
        "parameters": dict(state.parameters),
    }
    return hashlib.sha256(canonical(about).encode()).hexdigest()


def shown(step: PlanStep, state: RunState, asker: str | None) -> Mapping[str, Json]:
    """Return what the question says besides the step's own rows."""
    return {
        "asked_by": asker or "",
        "roles": list(step.roles),
        "count": step.approvers,
        "binding": binding(state, step.id),
    }


def stale(question: Question, state: RunState) -> bool:
    """Whether an open question asks about something that has changed since."""
    if question.asks != ASKS or question.step is None:
        return False
    return question.shown.get("binding") != binding(state, question.step)


def counted(question: Question, now: str) -> tuple[Approval, ...]:
    """Return the approvals that count now."""
    return tuple(one for one in question.approvals if one.until > now)


def needed(question: Question) -> int:
    """Return how many people must approve."""
    count = question.shown.get("count")
    return count if isinstance(count, int) and count > 0 else 1


def enough(question: Question, now: str) -> bool:
    """Whether as many have approved as must."""
    return question.asks == ASKS and len(counted(question, now)) >= needed(question)


def answered(question: Question, now: str) -> QuestionAnswered:
    """Return the answer that the approvals amount to; it counts as long as all of them do."""
    given = counted(question, now)
    names = ", ".join(f"{one.operator}@{one.host} ({one.identity})" for one in given)
    until = min(one.until for one in given)
    reason = f"approved by {names}"
    return QuestionAnswered(question.id, APPROVE, "person", reason, {"until": until})


def roles_of(question: Question) -> tuple[str, ...]:
    """Return the roles one of which is needed; none means anybody's."""
    roles = question.shown.get("roles")
    return tuple(str(role) for role in roles) if isinstance(roles, list | tuple) else ()


def whose(question: Question) -> str:
    """Return in words whose approval counts."""
    but = f" but {question.shown['asked_by']}" if question.shown.get("asked_by") else " else"
    roles = roles_of(question)
    return f"anyone{but}" + (f" in group {' or '.join(roles)}" if roles else "")


def cannot(plan: Plan, identities: Identities) -> str | None:
    """Return why a plan's approvals cannot be had from this store, None when they can."""
    step = next((step for step in plan.steps() if step.confirm == ASKS), None)
    if step is None or identities.own() is not None:
        return None
    return f"{step.name} wants another operator's approval, and a journal in a file knows nobody"


MEND: Final = "Share the journal: RUNBOOK_STATE=postgresql://HOST/DATABASE"


def data(question: Question, state: RunState, reason: str) -> dict[str, Json]:
    """Return what a message of approval or refusal carries."""
    step = question.step or ""
    bound = binding(state, step)
    return {"step": step, "question": question.id, "binding": bound, "reason": reason}


def events(
    message: Message, state: RunState, identities: Identities, driver: str | None
) -> tuple[Payload, ...] | str:
    """Return the events of an approval or a refusal, or a sentence why it does not count.

    `driver` is the role of whoever drives, if that is known.
    """
    step = message.data.get("step")
    question = state.question_on(step) if isinstance(step, str) else None
    if question is None or question.asks != ASKS:
        return closed(state, message.data.get("question")) or no_question(state, step)
    problem = _problem(message, question, state, identities, driver)
    if problem is not None:
        return problem
    said = message.data.get("reason")
    reason = said.strip() if isinstance(said, str) and said.strip() else None
    if message.kind == DENY:
        why = f"{message.sender}@{message.host} ({message.identity}) refused"
        why = f"{why}: {reason}" if reason else why
        return (QuestionAnswered(question.id, DENY, "person", why),)
    until = clock.later(message.at, LASTS)
    return (
        ApprovalGiven(question.id, message.sender, message.host, message.identity, until, reason),
    )


def no_question(state: RunState, step: object) -> str:
    """Say that a step waits for no approval, and how the last question for one ended."""
    found = [
        one.question.id
        for one in state.answered.values()
        if one.question.step == step and one.question.asks == ASKS
    ]
    said = f"{step or 'the run'} does not wait for an approval"
    return f"{said}: {closed(state, found[-1])}" if found else said


def closed(state: RunState, question: object) -> str | None:
    """Return in words how a question for approval came to its end; None while it has not."""
    answer = state.answered.get(question) if isinstance(question, str) else None
    if answer is None:
        return None
    at = f"{answer.at[:19]}Z"
    because = f": {answer.reason}" if answer.reason else ""
    if answer.choice is None:
        return f"the question was withdrawn at {at}{because}"
    done = {APPROVE: "approved", DENY: "refused"}.get(answer.choice, f"decided, {answer.choice},")
    return f"it was {done} at {at}{because}"


def open_question(state: RunState) -> Question | None:
    """Return the oldest open question that others must approve."""
    return next((one for one in state.questions if one.asks == ASKS), None)


def barred(who: str, question: Question, identities: Identities, driver: str | None) -> str | None:
    """Return why an identity's word does not count for a question, None when it does."""
    if not who:
        return "this journal knows nobody: approvals need PostgreSQL"
    if who in (question.shown.get("asked_by"), driver):
        return f"{who} asked for it, or drives the run, and cannot approve it: another person must"
    roles = roles_of(question)
    if roles and not any(identities.is_member(who, role) for role in roles):
        return f"{who} is in none of the roles that may: {', '.join(roles)}"
    return None


def _problem(
    message: Message,
    question: Question,
    state: RunState,
    identities: Identities,
    driver: str | None,
) -> str | None:
    """Return why a message does not count for the question, None when it does."""
    problem = barred(message.identity, question, identities, driver)
    if problem is not None:
        return problem
    asked = message.data.get("question")
    if asked != question.id or message.data.get("binding") != binding(state, question.step or ""):
        return (
            closed(state, asked)
            or "it was given for something else: what is asked has changed since"
        )
    if message.kind == APPROVE and clock.later(message.at, LASTS) <= clock.utc():
        return f"it has expired: given at {message.at[:19]}Z, and counts for an hour"
    return None
