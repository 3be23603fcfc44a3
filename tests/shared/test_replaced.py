"""A driver that lives, beats and does not answer whether another may go on: it is replaced."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from runbook_tui import exits
from runbook_tui.engine import messages, taking_over
from runbook_tui.engine.ports import Answer, Command, Operator
from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.backend import Ended
from runbook_tui.ui.engine_backend import EngineBackend
from state.run_state import Question
from state.stores.location import Location
from state.stores.store import Store
from tests.harness.processes import until
from tests.harness.program import Program
from tests.harness.screen import shows
from tests.harness.stage import ScriptedOperator

pytestmark = pytest.mark.timeout(240)

RUNBOOK = """\
runbook: Say it
phases:
  - phase: All
    steps:
      - {id: look, name: Look, run: test -e light}
      - {id: next, name: Go on, run: echo next >> effects}
"""


ANSWERS = {"look": [("skip", "seen")]}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a minute to answer is not waited for here."""
    monkeypatch.setattr(messages, "PATIENCE", 1.0)


@pytest.fixture
def run(tmp_path: Path, url: str) -> str:
    """A run that was left at a question after a failure."""
    (tmp_path / "say.yaml").write_text(RUNBOOK)
    program = Program(tmp_path / "dana", tmp_path, url=url)
    program.run("run", "say.yaml", "--headless").expect(exits.FAILED)
    found: str = program.runs()[0]["run"]
    return found


@pytest.fixture
def backend(tmp_path: Path, url: str) -> Iterator[Callable[[str], EngineBackend]]:
    """Makes the backend of somebody with a state directory of their own."""
    made: list[EngineBackend] = []

    def make(name: str) -> EngineBackend:
        made.append(EngineBackend(Location(tmp_path / name, url), name, lambda source: ""))
        return made[-1]

    yield make
    for one in made:
        one.close()


class InThread:
    """Drives beside the test; `ended` tells how it ended."""

    def __init__(self, drive: Callable[[], Ended]) -> None:
        self.ended: Ended | None = None

        def work() -> None:
            self.ended = drive()

        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def result(self) -> Ended:
        """Wait for the end."""
        self._thread.join(60)
        assert self.ended is not None
        return self.ended


def taking(backend: EngineBackend, run: str, operator: Operator) -> InThread:
    """Take a run over, and drive it."""
    return InThread(
        lambda: backend.take_over(run, "my turn", operator, lambda line: None, lambda: True)
    )


class Later(ScriptedOperator):
    """Answers when the test has seen enough."""

    def __init__(self) -> None:
        super().__init__(ANSWERS)
        self.may = threading.Event()

    def ask(self, question: Question) -> Answer | None:
        self.may.wait(60)
        return super().ask(question)


def answering() -> ScriptedOperator:
    """An operator who ends the run at the question that it waits at."""
    return ScriptedOperator(ANSWERS)


async def test_the_screen_of_who_does_not_answer_becomes_read_only(
    backend: Callable[[str], EngineBackend],
    run: str,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(taking_over, "GRACE", 60.0)  # its own patience ends first
    app = RunbookApp(backend("dana"), resume=run)
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "Look failed. What now?")
        later = Later()
        lee = taking(backend("lee"), run, later)
        await shows(pilot, "Watching: read only", "took over", '"my turn"')
        await pilot.press("r", "s", "b", "a")
        later.may.set()
        assert lee.result().code == exits.DONE
    kinds = [record.kind for record in store.journal.read(run)]
    assert "question_withdrawn" in kinds
    [over] = [one.data for one in store.journal.read(run) if one.kind == "taken_over"]
    assert (over["before"], over["how"]) == ("dana", "yielded")


class Stuck(ScriptedOperator):
    """A driver's loop that stands still while its heart goes on beating."""

    def __init__(self) -> None:
        super().__init__(person=True)
        self.stuck = threading.Event()
        self.goes_on = threading.Event()

    def commands(self, timeout: float) -> Sequence[Command]:
        self.stuck.set()
        self.goes_on.wait(120)
        return super().commands(timeout)


def test_one_that_beats_and_never_looks_is_fenced(
    backend: Callable[[str], EngineBackend],
    run: str,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(taking_over, "GRACE", 0.5)
    stuck, danas = Stuck(), backend("dana")
    driver = InThread(lambda: danas.resume(run, stuck))
    try:
        until(stuck.stuck.is_set, "the driver stands still")
        held = store.leases.held_by("run", run)
        assert held is not None
        assert held.left is None
        assert taking(backend("lee"), run, answering()).result().code == exits.DONE
        written = store.journal.read(run)
    finally:
        stuck.goes_on.set()
    ended = driver.result()
    assert ended.code == exits.IN_USE
    assert "lee@" in ended.sentence
    assert store.journal.read(run) == written
    [over] = [one.data for one in written if one.kind == "taken_over"]
    assert (over["before"], over["how"]) == ("dana", "silent")
