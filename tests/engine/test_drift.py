"""Changed files at the border of the engine: what is asked, when, and what the decision does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui import exits
from runbook_tui.definition.problems import UsageProblem
from runbook_tui.engine import session
from runbook_tui.engine.environments_in_use import InUse
from runbook_tui.engine.ports import Leave
from state.holders import Held
from state.run_state import RunState
from tests.harness.stage import ScriptedOperator, Stage, runs

RUNBOOK = """\
runbook: Deploy
environments: {here: {lock: one, vars: {word: old}}}
phases:
  - phase: All
    steps:
      - {id: a, run: ./a, undo: {run: ./undo}}
      - {id: b, run: './b "${{ env.word }}"'}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    (tmp_path / "state").mkdir()
    (tmp_path / "deploy.yaml").write_text(RUNBOOK)
    stage = Stage(tmp_path / "state")
    yield stage
    stage.pool.close()


def left(stage: Stage) -> str:
    """Leave a run while its first step goes on, change its second one, and return its id."""
    stage.pool.on("a", runs())
    file = stage.root.parent / "deploy.yaml"
    made = session.prepare(file, "here", {}, directory=file.parent)

    def attempted(state: RunState) -> bool:
        return bool(state.steps["a"].attempts)

    with session.start(made, stage.place) as driven:
        driven.drive(ScriptedOperator().when(attempted, Leave("quit")))
    file.write_text(RUNBOOK.replace("old", "new"))
    return driven.run


def asked(state: RunState) -> bool:
    return any(one.asks == "drift" for one in state.questions)


def kinds(stage: Stage, run: str) -> list[str]:
    return [kind for kind in stage.journal.kinds(run) if kind.startswith(("def", "run_r"))]


def last_word(stage: Stage) -> list[str]:
    """Return the values that the second step was given, each time that it ran."""
    orders = [one.job for one in stage.pool.orders if one.job.step == "b"]
    return [job.variables["RUNBOOK_V_1"] for job in orders]


def test_a_live_step_goes_on_while_the_change_is_taken_on(stage: Stage) -> None:
    run = left(stage)
    operator = ScriptedOperator({"drift": ["adopt"]})
    operator.when(lambda state: bool(state.adopted), lambda: stage.pool.finish("a"))
    with session.resume(run, stage.place, change="ask") as driven:
        assert driven.drive(operator) == exits.DONE
    state = stage.journal.state(run)
    assert [len(step.attempts) for step in state.steps.values()] == [1, 1]
    assert last_word(stage) == ["new"]
    assert kinds(stage, run) == ["run_resumed", "definition_adopted"]


def test_nothing_starts_before_the_decision(stage: Stage) -> None:
    run = left(stage)
    stage.pool.finish("a")
    operator = ScriptedOperator(person=True)
    done = "a ended while the question was open"

    def a_done(state: RunState) -> bool:
        return asked(state) and state.steps["a"].status == "succeeded"

    operator.when(a_done, Leave(done))
    with session.resume(run, stage.place, change="ask") as driven:
        driven.drive(operator)
    state = stage.journal.state(run)
    assert (state.left, state.steps["b"].status) == (done, "pending")
    # Headless: the open question is withdrawn, and the original goes on.
    with session.resume(run, stage.place) as driven:
        assert driven.drive(ScriptedOperator()) == exits.DONE
    assert last_word(stage) == ["old"]
    assert not asked(stage.journal.state(run))


def test_who_decided_to_keep_is_asked_again_only_after_another_change(stage: Stage) -> None:
    run = left(stage)

    def coming_back(answer: str | None) -> bool:
        """Take the run up and leave it; tell whether the question came."""
        operator = ScriptedOperator({"drift": [answer]} if answer else {}, person=True)
        operator.when(lambda state: not asked(state), Leave("quit"))
        with session.resume(run, stage.place, change="ask") as driven:
            driven.drive(operator)
        return any(one.asks == "drift" for one in operator.asked)

    assert coming_back("keep")
    assert not coming_back(None)
    file = stage.root.parent / "deploy.yaml"
    file.write_text(RUNBOOK.replace("old", "newer"))
    assert coming_back("keep")
    file.write_text(RUNBOOK.replace("\n", "\r\n"))
    assert not coming_back(None)  # line ends are no change
    assert "definition_adopted" not in stage.journal.kinds(run)
    stage.pool.finish("a")


def test_a_program_that_dies_between_decision_and_deed_asks_again(stage: Stage) -> None:
    run = left(stage)
    stage.journal.before_append = _dies_at("definition_adopted")
    with (
        session.resume(run, stage.place, change="ask") as driven,
        pytest.raises(_Died),
    ):
        driven.drive(ScriptedOperator({"drift": ["adopt"]}))
    assert stage.journal.state(run).adopting
    stage.journal.before_append = lambda payloads: None
    stage.pool.finish("a")
    with session.resume(run, stage.place, change="ask") as driven:
        assert driven.drive(ScriptedOperator({"drift": ["adopt"]})) == exits.DONE
    assert last_word(stage) == ["new"]


class _Died(BaseException):
    """The program is gone."""


def _dies_at(kind: str):  # type: ignore[no-untyped-def]  # what the journal calls before it writes
    def before(payloads) -> None:  # type: ignore[no-untyped-def]
        if any(one.kind == kind for one in payloads):
            raise _Died

    return before


def test_the_locks_of_the_changed_environments_are_taken_too(stage: Stage) -> None:
    run = left(stage)
    file = stage.root.parent / "deploy.yaml"
    file.write_text(RUNBOOK.replace("lock: one", "lock: two"))
    before = stage.journal.kinds(run)
    lease = stage.place.store.leases.acquire(
        "environment", "two", run="1123-zzzz", operator="lee", since="2026-11-23T11:59:39Z"
    )
    assert not isinstance(lease, Held)
    with pytest.raises(InUse, match="two"):
        session.resume(run, stage.place, change="adopt")
    assert "definition_adopted" not in stage.journal.kinds(run)[len(before) :]
    lease.release()
    stage.pool.finish("a")
    with session.resume(run, stage.place, change="adopt") as driven:
        held = stage.place.store.leases.held_by("environment", "two")
        assert held is not None
        assert driven.drive(ScriptedOperator()) == exits.DONE


def test_a_rollback_adopts_nothing(stage: Stage) -> None:
    run = left(stage)
    stage.pool.finish("a")
    stage.pool.on("undo-a", runs())

    def undoing(state: RunState) -> bool:
        return state.base is not None and bool(state.open_attempts())

    operator = ScriptedOperator({"rollback": ["rollback"]}).when(undoing, Leave("quit"))
    with session.rollback(run, stage.place) as driven:
        driven.drive(operator)
    with pytest.raises(UsageProblem, match="a rollback goes on with the files"):
        session.resume(driven.run, stage.place, change="adopt")
    stage.pool.finish("undo-a")
