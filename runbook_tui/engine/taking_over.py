"""Giving a run from one driver to another: asked, and answered, through the inbox.

Whoever drives is asked and has half a minute. Who does not answer, or is not heard of, is replaced
where a token can fence them (a shared journal); on one machine the kernel's lock stays with a
process that lives, and it is said which one that is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from runbook_tui.definition.problems import UsageProblem
from runbook_tui.engine import environments_in_use, messages, sending, session
from runbook_tui.engine.driving import Place, Session
from runbook_tui.engine.environments_in_use import InUse
from runbook_tui.engine.people import stayed
from runbook_tui.engine.sending import Sender
from runbook_tui.engine.session import Taking
from state import fold
from state.events import MessageTaken, RunLeft, TakenOver
from state.holders import Held
from state.json_value import Json
from state.messages import Message
from state.run_state import RunState
from state.stores.machine import process_stopped
from state.stores.store import Store

GRACE: Final = 5.0
"""Seconds longer than the driver's own patience: it leaves by itself when nobody answers there."""

_LOOK_EVERY: Final = 0.25

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Gave:
    """How the driver gave the run away: yielded | left | expired | silent; and what was sent."""

    how: str
    message: Message | None = None


def take_over(
    run: str,
    place: Place,
    reason: str,
    parameters: Mapping[str, str] | None = None,
    *,
    say: Say = lambda line: None,
    going: Callable[[], bool] = lambda: True,
) -> Session:
    """Drive a run instead of whoever drives it now, who is asked first; `say` tells what goes on.

    Raises InUse when they stay, or when they cannot be replaced from here; UsageProblem for an
    unknown run or one that is over, and when not `going` any more; StoreError.
    """
    state = session.to_go_on_with(place, run)
    own = Sender(place.operator, place.host)
    gave = ask(place.store, state, messages.TAKE_OVER, {"reason": reason}, own, say, going)
    taking = Taking(_events(place.store, state, reason, gave), by_force=gave.how == "silent")
    try:
        return session.resume(state.run, place, parameters, taking)
    except InUse as problem:
        if gave.how == "silent" and problem.held is not None:
            raise _cannot_replace(problem.held) from problem
        raise
    finally:
        if gave.message is not None:
            sending.take_back(place.store, gave.message)


def hand_over(store: Store, state: RunState, to: str, reason: str, own: Sender, say: Say) -> None:
    """Have whoever drives leave, so that `to` may go on.

    Raises UsageProblem when nobody drives, InUse when they stay or do not answer, StoreError.
    """
    if not sending.driven(store, state.run):
        raise UsageProblem(
            f"Nobody drives {state.run} now", f"{to} can go on: runbook resume {state.run}"
        )
    gave = ask(store, state, messages.HAND_OVER, {"to": to, "reason": reason}, own, say)
    if gave.message is not None:
        sending.take_back(store, gave.message)
    held = store.leases.held_by("run", state.run)
    if gave.how == "silent" and held is not None:
        raise InUse(
            f"{environments_in_use.who(held)} ({environments_in_use.seen(held)}) did not answer.",
            f"{to} can take it over: runbook take-over {state.run} --reason WHY",
            held,
        )


def ask(
    store: Store,
    state: RunState,
    kind: str,
    data: Mapping[str, Json],
    own: Sender,
    say: Say,
    going: Callable[[], bool] = lambda: True,
) -> Gave:
    """Ask the driver to leave, and wait until it has, or does not answer. Raises InUse when it
    stays, UsageProblem when not `going` any more.
    """
    held = store.leases.held_by("run", state.run)
    if held is None:
        return Gave("left" if state.left is not None else "expired")
    if held.seen is None and held.holder is not None and process_stopped(held.holder.pid):
        return Gave("silent")
    say(
        f"Asking {environments_in_use.who(held)} ({environments_in_use.seen(held)}), who has "
        f"{messages.PATIENCE:.0f} s to answer."
    )
    message, after = sending.send(store, state.run, kind, data, own)
    until = time.monotonic() + messages.PATIENCE + GRACE
    while time.monotonic() < until:
        gone = not sending.driven(store, state.run)
        heard = _heard(store, state.run, message, after)
        if gone:
            return Gave("yielded" if heard else "expired", message)
        if not going():
            sending.take_back(store, message)
            raise UsageProblem("It was not taken over: you went on watching", "")
        time.sleep(_LOOK_EVERY)
    return Gave("silent", message)


def _heard(store: Store, run: str, message: Message, after: int) -> bool:
    """Whether the driver has left since; InUse when it said that it will not."""
    records = store.journal.read(run)
    now = fold.fold(records)
    for record in records[after:]:
        data = record.data
        if record.kind == MessageTaken.kind and data.get("id") == message.id and data["refused"]:
            raise InUse(f"It was not taken over: {data['refused']}.", f"Watch: runbook watch {run}")
    for answer in now.answered.values():
        asked = answer.question.shown.get("message") == message.id
        if asked and answer.choice == messages.STAY:
            raise InUse(f"{stayed(answer)}.", f"Watch: runbook watch {run}")
    return any(record.kind == RunLeft.kind for record in records[after:])


def _events(
    store: Store, state: RunState, reason: str, gave: Gave
) -> tuple[TakenOver | MessageTaken, ...]:
    """Return what is journaled as the run is taken up: whom we replace, and our own message if
    nobody has taken it: else it would come to us.
    """
    over = TakenOver(state.driver, state.driver_host, reason, gave.how)
    if gave.message is None:
        return (over,)
    known = fold.fold(store.journal.read(state.run)).messages
    return (over,) if gave.message.id in known else (over, messages.taken(gave.message))


def _cannot_replace(held: Held) -> InUse:
    """Say which process drives and does not answer, and what can be done about it."""
    holder = held.holder
    if holder is None:
        return InUse("Another process drives, and does not answer.", "Find and end it.", held)
    who = environments_in_use.who(held)
    back = f"Then: runbook resume {holder.run}. Running steps are not touched by that"
    if process_stopped(holder.pid):
        return InUse(
            f"{who} drives in process {holder.pid}, which is stopped and holds the lock.",
            f"Wake it with: kill -CONT {holder.pid}, or end it with: kill -KILL {holder.pid}. "
            f"{back}.",
            held,
        )
    return InUse(
        f"{who} drives in process {holder.pid}, which lives and does not answer.",
        f"Look at it, and end it with: kill -TERM {holder.pid}. {back}.",
        held,
    )
