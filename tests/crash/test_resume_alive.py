"""Resume where somebody acts still, or left a result: it is awaited, stopped or adopted."""

from __future__ import annotations

import os
import shutil

import pytest

from runbook_tui import exits
from runbook_tui.engine.ports import StopStep
from tests.crash.resuming import CHECKED, WAITING, another_machine, fault
from tests.harness.interrupted import Interrupted, Killed
from tests.harness.processes import until
from tests.harness.stage import ScriptedOperator

pytestmark = pytest.mark.timeout(300)


def test_another_machine_is_awaited(run: Interrupted, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write("- {id: a, run: 'until [ -e EFFECTS ]; do sleep 0.05; done'}")
    with another_machine(monkeypatch):
        run.leave_behind("a")
    headless = ScriptedOperator()
    assert run.resume(headless) == exits.WAITS
    assert run.stands("a") == "running"
    (question,) = headless.asked
    assert question.text == "a is running on here. Is here dead?"
    assert "cannot be seen from here" in str(question.shown["reason"])
    person = ScriptedOperator(person=True)
    person.when(lambda state: state.resumes == 2, run.effects.touch)
    assert run.resume(person) == exits.DONE
    assert run.pool.acts("a") == 1


@pytest.mark.parametrize("point", ["worker.after-act", "worker.before-act"])
def test_a_machine_declared_dead_is_looked_after(
    run: Interrupted, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    run.write(CHECKED)
    with another_machine(monkeypatch), fault(monkeypatch, f"{point}@a:kill"):
        run.leave_dead("a")
    acted = point == "worker.after-act"
    operator = ScriptedOperator({"elsewhere": [("dead", "it burnt")]})
    assert run.resume(operator) == (exits.DONE if acted else exits.FAILED)
    assert run.step("a").attempts[0].adopted is acted
    assert run.pool.acts("a") == 1
    if not acted:
        assert [one.asks for one in operator.asked] == ["elsewhere", "failure"]
        assert "which dana declared dead: it burnt." in str(run.step("a").reason)
        assert run.resume(ScriptedOperator({"a": ["retry"]})) == exits.DONE
    assert run.lines() == ["a"]


def test_a_stop_that_was_asked_for_is_finished(run: Interrupted) -> None:
    run.write("- {id: a, run: 'echo begun >> EFFECTS; sleep 1000'}")

    def die() -> None:
        raise Killed

    run.pool.before_stop = die
    operator = ScriptedOperator().when(lambda state: bool(run.lines()), StopStep("a", "wrong"))
    assert run.begin(operator) is None
    assert run.step("a").attempts[0].stop_reason == "wrong"
    assert run.attempt("a").live().alive
    run.pool.before_stop = lambda: None
    assert run.resume() == exits.FAILED
    assert run.step("a").attempts[0].status == "stopped"
    assert not run.attempt("a").live().alive


def test_a_result_is_adopted(run: Interrupted) -> None:
    run.write("- id: a\n  run: {script: 'echo x=1 >> \"$RUNBOOK_OUTPUT\"', outputs: [x]}")
    run.leave_behind("a")
    until(lambda: run.attempt("a").read_result(), "the result")
    assert run.resume() == exits.DONE
    assert run.step("a").outputs == {"x": "1"}
    assert run.pool.acts("a") == 1


def test_a_result_is_adopted_though_the_lock_is_held(run: Interrupted) -> None:
    run.write("- {id: a, run: 'echo a >> EFFECTS'}")
    run.leave_behind("a")
    directory = run.attempt("a")
    until(lambda: directory.read_result() and not directory.locked(), "the result")
    held = directory.hold()  # as a process does that the command left behind
    try:
        assert run.resume() == exits.DONE
    finally:
        os.close(held)
    assert run.lines() == ["a"]


def test_a_living_worker_is_taken_up(run: Interrupted) -> None:
    run.write("- {id: a, run: 'until [ -e EFFECTS ]; do sleep 0.05; done; echo a >> EFFECTS'}")
    run.leave_behind("a")
    operator = ScriptedOperator().when(lambda state: state.resumes == 1, run.effects.touch)
    assert run.resume(operator) == exits.DONE
    assert run.lines() == ["a"]
    assert run.pool.acts("a") == 1


def test_a_living_worker_may_be_stopped(run: Interrupted) -> None:
    run.write("- {id: a, run: 'echo begun >> EFFECTS; sleep 1000'}")
    run.leave_behind("a")
    until(run.lines, "its beginning")
    operator = ScriptedOperator().when(lambda state: state.resumes == 1, StopStep("a", "late"))
    assert run.resume(operator) == exits.FAILED
    assert run.step("a").attempts[0].status == "stopped"
    assert not run.attempt("a").live().alive


def test_it_is_alive_though_its_directory_was_removed(run: Interrupted) -> None:
    """Nothing runs beside it, whatever `verify` says so far; its result comes to where it was."""
    gate = run.directory / "gate"
    run.write(WAITING.replace("GATE", str(gate)))
    run.leave_behind("a")
    until(lambda: run.lines() == ["begun"], "the command's beginning")
    shutil.rmtree(run.attempt("a").path)
    operator = ScriptedOperator().when(lambda state: state.resumes == 1, gate.touch)
    assert run.resume(operator) == exits.DONE
    assert (run.pool.acts("a"), run.step("a").adopted) == (1, False)
    assert run.lines() == ["begun", "done"]


def test_it_may_be_stopped_though_its_directory_was_removed(run: Interrupted) -> None:
    run.write(WAITING.replace("GATE", str(run.directory / "gate")))
    run.leave_behind("a")
    until(lambda: run.lines() == ["begun"], "the command's beginning")
    directory = run.attempt("a")
    shutil.rmtree(directory.path)
    operator = ScriptedOperator().when(lambda state: state.resumes == 1, StopStep("a", "late"))
    assert run.resume(operator) == exits.FAILED
    assert run.step("a").attempts[0].status == "stopped"
    assert not directory.holders_of_removed()
    assert run.lines() == ["begun"]
