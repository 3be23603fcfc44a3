"""Dana asks, lee looks on: who is online, a reminder, a question taken back, an approval; for real.

Dana's driver and lee's screen each have a role, a connection and a state directory of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from runbook_tui import exits
from runbook_tui.engine.ports import Answer, Leave, Remind, TakeBack
from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.backend import Standing
from runbook_tui.ui.bridge import ScreenOperator
from runbook_tui.ui.engine_backend import EngineBackend
from state.run_state import Question, RunState
from state.stores.location import Location
from tests.harness.processes import until as wait_until
from tests.harness.screen import frame, shows, until
from tests.people.conftest import Team
from tests.people.test_approvals import refusals, sent

pytestmark = pytest.mark.timeout(300)

STEP = "- {id: a, run: echo a >> a.txt, confirm: {approval: {roles: [release]}}}\n"


@contextmanager
def backend(team: Team, name: str) -> Iterator[EngineBackend]:
    """The program of one person, as their screen has it."""
    who = team.operator(name)
    made = EngineBackend(Location(who.state, who.url), name, lambda source: "", directory=team.work)
    try:
        yield made
    finally:
        made.close()


class Driver:
    """Dana's driver, in a thread; her screen is the test."""

    def __init__(self, dana: EngineBackend, team: Team) -> None:
        self.operator = ScreenOperator()
        self.codes: list[int] = []
        self.state: RunState | None = None
        file = team.work / "a.yaml"
        self._drive = partial(dana.start, file, "production", {}, self.operator)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self.codes.append(self._drive().code)

    def __enter__(self) -> Driver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.operator.send(Leave("the test is over"))
        self._thread.join(60)

    @property
    def seen(self) -> RunState:
        """The run as dana's screen has it."""
        self.state = self.operator.take() or self.state
        assert self.state is not None
        return self.state

    def question(self, asks: str, other_than: str = "") -> Question:
        """Wait until this is asked."""
        wait_until(lambda: self._asked(asks, other_than), f"the question {asks}")
        [found] = self._asked(asks, other_than)
        return found

    def _asked(self, asks: str, other_than: str) -> list[Question]:
        self.state = self.operator.take() or self.state
        open_ = self.state.questions if self.state is not None else ()
        return [one for one in open_ if one.asks == asks and one.id != other_than]

    def end(self) -> int:
        """Wait for the end; return the exit code."""
        wait_until(lambda: self.codes, "the end of the run")
        return self.codes[0]


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    words: list[str] = []
    monkeypatch.setattr(RunbookApp, "call_operator", lambda app, said: words.append(said))
    return words


def events(team: Team, kind: str) -> list[dict[str, object]]:
    return [dict(one.data) for one in team.records() if one.kind == kind]


def online(dana: EngineBackend, driver: Driver) -> list[str]:
    """Return who dana's screen says is online."""
    return [f"{one.name} as {one.identity}" for one in dana.online(driver.seen)]


async def test_reminded_taken_back_asked_again_and_approved(team: Team, rung: list[str]) -> None:
    team.write(STEP, "environments: {production: {}}\n")
    with backend(team, "dana") as dana, backend(team, "lee") as lee, Driver(dana, team) as driver:
        first = driver.question("approval")
        assert online(dana, driver) == []
        app = RunbookApp(lee, watch=driver.seen.run)
        async with app.run_test(size=(100, 30)) as pilot:
            await shows(pilot, "a waits for an approval: d, then y")
            await until(pilot, lambda: online(dana, driver) == ["lee as lee"])
            await until(pilot, lambda: len(rung) == 1)

            driver.operator.send(Remind(first.id))
            await shows(pilot, "dana reminds you")
            await until(pilot, lambda: len(rung) == 2)
            [reminded] = events(team, "approvers_reminded")
            assert reminded["online"] == [f"lee@{lee.host}"]

            driver.operator.send(TakeBack(first.id, "wrong version"))
            await shows(pilot, "the question was withdrawn", "wrong version")
            again = driver.question("withdrawn")
            assert not (team.work / "a.txt").exists()
            late(team, first)
            await until(pilot, lambda: refusals(team), "the late word does not count")
            assert "taken back by dana@" in str(refusals(team)[0]["refused"])

            driver.operator.send(Answer(again.id, "retry", "person"))
            await shows(pilot, "a waits for an approval: d, then y")
            await pilot.press("d")
            await shows(pilot, "[Not yet]", "y Approve")
            await pilot.press("y")
            await until(pilot, lambda: driver.codes, "the end of the run")
        assert driver.end() == exits.DONE
        assert (team.work / "a.txt").read_text() == "a\n"


def late(team: Team, question: Question) -> None:
    """Let lee's approval come after the question was taken back."""
    who = team.operator("lee")
    with Location(who.state, who.url).open() as store:
        [run] = store.journal.runs()
        data = {"step": "a", "question": question.id, "binding": question.shown["binding"]}
        store.inbox.send(run, "approve", data, sender="lee", host="desk")


async def test_who_asked_may_look_on_elsewhere_and_cannot_approve(
    team: Team, rung: list[str]
) -> None:
    team.write(STEP, "environments: {production: {}}\n")
    with backend(team, "dana") as dana, backend(team, "dana") as desk, Driver(dana, team) as driver:
        driver.question("approval")
        app = RunbookApp(desk, watch=driver.seen.run)
        async with app.run_test(size=(100, 30)) as pilot:
            await shows(pilot, "waits for others to approve it")
            await pilot.press("d")
            await shows(pilot, "cannot approve it", "[Not yet]", "t Take over")
            assert "y Approve" not in frame(app)
            await until(pilot, lambda: online(dana, driver), "it is known who watches")
            [one] = dana.online(driver.seen)
            assert "cannot approve it" in one.barred
        wait_until(lambda: not online(dana, driver), "nobody watches")
        found = desk.standing("production").by
        assert found is not None
        assert (found.who, found.run) == (f"dana@{dana.host}", driver.seen.run)
        assert rung == []
        sent(team, "sam")
        assert driver.end() == exits.DONE
        assert desk.standing("production") == Standing(None)


def test_a_watcher_that_says_nothing_more_is_gone(team: Team) -> None:
    team.write(STEP, "environments: {production: {}}\n")
    with backend(team, "dana") as dana, Driver(dana, team) as driver:
        driver.question("approval")
        lee = team.operator("lee")
        with Location(lee.state, lee.url).open() as store:
            store.presence.beat(driver.seen.run, operator="lee", host="desk")
            assert online(dana, driver) == ["lee as lee"]
        # Its connection has ended, and nothing was said.
        wait_until(lambda: not online(dana, driver), "lee is gone")
        sent(team, "sam")
        assert driver.end() == exits.DONE
