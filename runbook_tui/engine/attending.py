"""Who looks on at a run, and which of them may approve what it asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from runbook_tui.engine import approvals
from runbook_tui.engine.sending import Sender
from state.errors import StoreError
from state.holders import Held
from state.run_state import Question, RunState
from state.stores.store import Store

BEAT: Final = 3.0
"""Seconds after which a watcher says again that it watches."""


@dataclass(frozen=True, slots=True)
class Online:
    """Somebody who watches. `barred` says why they cannot approve what is asked; empty: they may.

    While nothing is to be approved nobody is barred.
    """

    name: str
    host: str
    identity: str
    barred: str = ""


class Attending:
    """Says that somebody watches, for as long as `at` is called and until `end`.

    Looking on is worth as much when that cannot be said: what goes wrong here is no error.
    """

    def __init__(
        self, store: Store, own: Sender, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._own = own
        self._clock = clock
        self._run = ""
        self._again_at = 0.0
        self._known: tuple[str, str | None] = ("", None)
        self._barred = ""

    def at(self, run: str) -> None:
        """Say which run is watched, when it is time to."""
        now = self._clock()
        if run == self._run and now < self._again_at:
            return
        self._run, self._again_at = run, now + BEAT
        with suppress(StoreError):
            self._store.presence.beat(run, operator=self._own.name, host=self._own.host)

    def barred(self, state: RunState, held: Held | None) -> str:
        """Return why this program's role cannot approve what a run asks; empty when it may.

        `held` is by whom the run is driven. Asks the store once for each question. Raises
        StoreError.
        """
        question = approvals.open_question(state)
        known = (question.id if question is not None else "", _driver(held))
        if known != self._known:
            own = self._store.identities.own() or ""
            self._barred = _barred(self._store, own, question, held)
            self._known = known
        return self._barred

    def end(self) -> None:
        """Say that nobody watches any more."""
        with suppress(StoreError):
            self._store.presence.leave()


def online(store: Store, state: RunState) -> list[Online]:
    """Return who watches a run now. Raises StoreError."""
    question = approvals.open_question(state)
    held = store.leases.held_by("run", state.run) if question is not None else None
    return [
        Online(one.operator, one.host, one.identity, _barred(store, one.identity, question, held))
        for one in store.presence.watching(state.run)
    ]


def _barred(store: Store, who: str, question: Question | None, held: Held | None) -> str:
    if question is None:
        return ""
    return approvals.barred(who, question, store.identities, _driver(held)) or ""


def _driver(held: Held | None) -> str | None:
    return held.holder.role if held is not None and held.holder is not None else None
