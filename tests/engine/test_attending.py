"""Saying that one watches, and knowing who else does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runbook_tui.engine import approvals, attending
from runbook_tui.engine.attending import Attending, Online
from runbook_tui.engine.sending import Sender
from state.errors import StoreAway
from state.events import QuestionAsked
from state.run_state import RunState
from state.stores.store import Store
from state.watcher import Watcher
from tests.engine.test_people import Roles
from tests.harness.plans import RUN, Story, plan, step
from tests.harness.stage import Stage

LEE = Sender("lee", "desk")


class Room:
    """A store's presence, in memory; it may be away."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.away = False
        self.here: list[Watcher] = []

    def beat(self, run: str, *, operator: str, host: str) -> None:
        self.said.append(run)
        if self.away:
            raise StoreAway("away", "wait")

    def leave(self) -> None:
        self.beat("", operator="", host="")

    def watching(self, run: str) -> list[Watcher]:
        return self.here


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def store(tmp_path: Path, room: Room) -> Store:
    """A store that knows who is who: this program is lee's."""
    roles = Roles("role_lee", role_lee="release", role_sam="release")
    return replace(Stage(tmp_path).store, presence=room, identities=roles)


def asked(roles: tuple[str, ...] = ()) -> RunState:
    """A run of dana's that waits for an approval."""
    story = Story(plan(step("a", confirm="approval", roles=roles)))
    shown = approvals.shown(story.plan.step("a"), story.state, "role_dana")
    question = QuestionAsked("q1", "a", "approval", "Begin?", ("approve", "deny"), None, shown)
    return story.tell(question).state


def test_it_is_said_again_when_it_is_time_and_at_once_of_another_run(
    store: Store, room: Room
) -> None:
    now = 0.0
    here = Attending(store, LEE, lambda: now)
    for at in (0.0, attending.BEAT - 0.1, attending.BEAT):
        now = at
        here.at(RUN)
    here.at("1124-r1b0")
    here.end()
    assert room.said == [RUN, RUN, "1124-r1b0", ""]


def test_a_store_that_cannot_keep_it_disturbs_nobody(store: Store, room: Room) -> None:
    room.away = True
    here = Attending(store, LEE)
    here.at(RUN)
    here.end()
    assert room.said == [RUN, ""]


def test_who_watches_and_may_not_approve_is_told_apart(store: Store, room: Room) -> None:
    room.here = [Watcher(name, "desk", f"role_{name}") for name in ("dana", "kim", "lee")]
    dana, kim, lee = attending.online(store, asked(("release",)))
    assert "cannot approve it" in dana.barred
    assert "none of the roles" in kim.barred
    assert lee == Online("lee", "desk", "role_lee")
    state = Story(plan(step("a"))).state
    assert {one.barred for one in attending.online(store, state)} == {""}


def test_a_watcher_knows_whether_its_own_word_counts(store: Store) -> None:
    here = Attending(store, LEE)
    assert here.barred(Story(plan(step("a"))).state, None) == ""
    assert here.barred(asked(("release",)), None) == ""
    other = replace(store, identities=Roles("role_dana"))
    assert "cannot approve it" in Attending(other, LEE).barred(asked(), None)
