"""The resume table: each row as a pure function, and as a driver meets it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from runbook_tui import exits
from runbook_tui.definition.plan import Plan, Retries, Verify
from runbook_tui.engine.ports import Abort, Answer, Leave, StopStep
from runbook_tui.engine.recovery import Found, Row, row
from state.events import Payload
from state.run_state import RunState
from state.stores.attempt_dir import AttemptDir
from tests.harness.plans import group, manual, plan, step
from tests.harness.stage import RUN, Does, Line, ScriptedOperator, Stage, fails, runs, sees, works

LOOKS = Verify("run", {"run": "true"})
DEAD = Found(
    begun_here=True, directory=True, claim="worker", alive=False, result="none", reads=False
)


@pytest.fixture(autouse=True)
def _only_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the driver dies, not the machine: nothing need reach the disk."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.pool.close()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (replace(DEAD, result="valid", alive=True, begun_here=False), Row.ADOPT),
        (replace(DEAD, result="valid"), Row.ADOPT),
        (replace(DEAD, begun_here=False, alive=True), Row.ELSEWHERE),
        (replace(DEAD, begun_here=False, claim=None), Row.ELSEWHERE),
        (replace(DEAD, alive=True), Row.ATTACH),
        (replace(DEAD, alive=True, claim=None), Row.ATTACH),
        (replace(DEAD, claim=None), Row.VOID),
        (replace(DEAD, claim="void"), Row.VOID),
        (replace(DEAD, claim="void", reads=True), Row.VOID),
        (replace(DEAD, reads=True), Row.RERUN),
        (replace(DEAD, directory=False, claim=None, reads=True), Row.RERUN),
        (DEAD, Row.LOOK),
        (replace(DEAD, result="corrupt"), Row.LOOK),
        (replace(DEAD, directory=False, claim=None), Row.LOOK),
    ],
)
def test_rows(found: Found, expected: Row) -> None:
    assert row(found) is expected


def test_nothing_that_may_have_acted_is_ever_simply_run_again() -> None:
    """Over all that can be found: run again without a look only what never acted or only reads."""
    for here, there, claim, alive, result, reads in product(
        (True, False),
        (True, False),
        ("worker", "void", None),
        (True, False),
        ("valid", "corrupt", "none"),
        (True, False),
    ):
        found = Found(here, there, claim, alive, result, reads)
        if row(found) in (Row.VOID, Row.RERUN):
            assert here
            assert not alive
            assert result != "valid"
            assert reads or (there and claim != "worker")


# The rows as a driver meets them


class Crash(BaseException):
    """The driver dies here."""


def crash_after(stage: Stage, kind: str) -> None:
    """Let the driver die at its next event after one of this kind was journaled."""

    def before(payloads: Sequence[Payload]) -> None:
        if stage.journal.kinds()[-1] == kind:
            raise Crash

    stage.journal.before_append = before


def left_behind(stage: Stage, made: Plan, *does: Does) -> None:
    """Drive until the first attempt's intent is journaled and its worker started; die then."""
    stage.pool.on("a", *does)
    crash_after(stage, "attempt_intended")
    operator = ScriptedOperator({"a": ["yes"]}).when(attempted, _die)
    with pytest.raises(Crash):
        stage.drive(made, operator)
    stage.journal.before_append = lambda payloads: None


def attempted(state: RunState) -> bool:
    return bool(state.steps["a"].attempts)


def _die() -> None:
    raise Crash


def directory(stage: Stage) -> AttemptDir:
    return AttemptDir(stage.root / f"runs/{RUN}/attempts/a.1")


def test_a_valid_result_is_adopted(stage: Stage) -> None:
    made = plan(step("a"))
    left_behind(stage, made, works(outputs={"x": "1"}))
    assert stage.drive(made) == exits.DONE
    assert stage.pool.acted == ["a"]
    assert stage.journal.state().steps["a"].outputs == {"x": "1"}


def test_adopting_a_failure_goes_on_as_if_it_had_just_arrived(stage: Stage) -> None:
    made = plan(step("a", verify=LOOKS, retries=Retries(1, 0.01)))
    stage.pool.on("a", sees("absent"), sees("absent"), sees("present"), mode="verify")
    left_behind(stage, made, fails(), works())
    assert stage.drive(made) == exits.DONE
    assert stage.pool.acted == ["a", "a"]


def test_a_living_worker_is_awaited(stage: Stage) -> None:
    made = plan(step("a"))
    left_behind(stage, made, runs())
    operator = ScriptedOperator().when(
        lambda state: state.resumes == 1, lambda: stage.pool.finish("a")
    )
    assert stage.drive(made, operator) == exits.DONE
    assert stage.pool.acted == ["a"]


def test_a_stop_that_was_asked_for_is_finished(stage: Stage) -> None:
    made = plan(step("a"))
    left_behind(stage, made, runs())
    stage.pool.deaf = True
    operator = ScriptedOperator().when(attempted, StopStep("a", "wrong"))
    operator.when(lambda state: state.steps["a"].attempts[0].stop_reason == "wrong", Leave("quit"))
    assert stage.drive(made, operator) == exits.WAITS
    stage.pool.deaf = False
    assert stage.drive(made) == exits.FAILED
    assert stage.pool.stopped == ["a"]
    assert stage.journal.state().steps["a"].attempts[0].status == "stopped"


def test_what_never_began_is_run(stage: Stage) -> None:
    made = plan(step("a", confirm="ask"))
    left_behind(stage, made, Does(how="never"), works())
    assert stage.drive(made) == exits.DONE
    assert stage.pool.acted == ["a"]
    assert directory(stage).claimed() == "void"


def test_a_dead_look_is_run_again(stage: Stage) -> None:
    made = plan(step("a", "check", options={"run": "true"}))
    left_behind(stage, made, Does(how="dies"), works())
    assert stage.drive(made) == exits.DONE
    assert stage.pool.acted == ["a", "a"]
    assert stage.pool.orders[-1].job.previous == (str(directory(stage).path),)


@pytest.mark.parametrize(
    ("verdict", "status", "code", "acted"),
    [
        ("present", "succeeded", exits.DONE, 1),
        ("absent", "succeeded", exits.DONE, 2),
        ("partial", "unknown", exits.WAITS, 1),
        ("unknown", "unknown", exits.WAITS, 1),
    ],
)
def test_a_dead_worker_is_judged_by_a_look(
    stage: Stage, verdict: str, status: str, code: int, acted: int
) -> None:
    made = plan(step("a", verify=LOOKS))
    stage.pool.on("a", sees("absent"), sees(verdict), sees("present"), mode="verify")
    left_behind(stage, made, Does(how="dies"), works())
    operator = ScriptedOperator()
    assert stage.drive(made, operator) == code
    assert stage.statuses() == {"a": status}
    assert stage.pool.acted == ["a"] * acted
    if verdict == "partial":
        assert operator.asked[0].asks == "partial"
        assert "continue" in operator.asked[0].choices


def test_absent_asks_for_the_confirmation_again(stage: Stage) -> None:
    made = plan(step("a", verify=LOOKS, confirm="ask"))
    stage.pool.on("a", sees("absent"), mode="verify")
    left_behind(stage, made, Does(how="dies"), works())
    operator = ScriptedOperator()
    assert stage.drive(made, operator) == exits.WAITS
    assert [one.asks for one in operator.asked] == ["confirm"]
    assert stage.pool.acted == ["a"]


def test_a_directory_that_is_gone_is_asked_about(stage: Stage) -> None:
    made = plan(step("a"))
    left_behind(stage, made, Does(how="dies"))
    directory(stage).path.rename(stage.root / "gone")
    operator = ScriptedOperator()
    assert stage.drive(made, operator) == exits.WAITS
    assert operator.asked[0].asks == "unknown"


def test_a_corrupt_result_is_asked_about(stage: Stage) -> None:
    made = plan(step("a"))
    left_behind(stage, made, Does(how="dies"))
    (directory(stage).path / "result.json").write_text("{")
    assert stage.drive(made) == exits.WAITS
    assert "not JSON" in str(stage.journal.state().steps["a"].reason)


def begun_elsewhere(stage: Stage, made: Plan, monkeypatch: pytest.MonkeyPatch, *does: Does) -> None:
    """Let another machine begin the first step, and be seen no more."""
    with monkeypatch.context() as patch:
        patch.setattr("runbook_tui.engine.attempt_events.machine_id", lambda: "another")
        patch.setattr(stage, "place", replace(stage.place, host="bastion-2"))
        left_behind(stage, made, *does)


def test_another_machine_is_never_judged_from_here(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(step("a", verify=LOOKS))
    stage.pool.on("a", sees("absent"), mode="verify")
    begun_elsewhere(stage, made, monkeypatch, Does(how="dies"))
    heard = stage.journal.state().at
    looked = len(stage.pool.orders)
    operator = ScriptedOperator()
    assert stage.drive(made, operator) == exits.WAITS
    assert len(stage.pool.orders) == looked
    asked = operator.asked[0]
    assert (asked.asks, asked.choices) == ("elsewhere", ("dead",))
    assert asked.text == "A is running on bastion-2. Is bastion-2 dead?"
    assert asked.shown["heard"] == heard
    assert stage.statuses() == {"a": "running"}


def test_its_result_is_taken_as_soon_as_it_comes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(step("a"))
    begun_elsewhere(stage, made, monkeypatch, runs())
    operator = ScriptedOperator(person=True)
    operator.when(lambda state: bool(state.questions), lambda: stage.pool.finish("a"))
    assert stage.drive(made, operator) == exits.DONE
    assert "question_withdrawn" in stage.journal.kinds()
    assert stage.pool.acted == ["a"]


@pytest.mark.parametrize(
    ("verdict", "status", "asks", "code"),
    [
        ("present", "succeeded", None, exits.DONE),
        ("absent", "failed", "failure", exits.FAILED),
        ("partial", "unknown", "partial", exits.WAITS),
        ("unknown", "unknown", "unknown", exits.WAITS),
    ],
)
def test_a_machine_declared_dead_is_looked_after_and_nothing_is_run_again_unasked(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    verdict: str,
    status: str,
    asks: str | None,
    code: int,
) -> None:
    made = plan(step("a", verify=LOOKS, retries=Retries(3, 0.0)))
    stage.pool.on("a", sees("absent"), sees(verdict), mode="verify")
    begun_elsewhere(stage, made, monkeypatch, Does(how="dies"))
    operator = ScriptedOperator({"elsewhere": [("dead", "its power supply burnt")]})
    assert stage.drive(made, operator) == code
    assert stage.statuses() == {"a": status}
    assert [one.asks for one in operator.asked] == ["elsewhere", *([asks] if asks else [])]
    assert stage.pool.acted == ["a"]
    last = stage.journal.state().steps["a"].attempts[0]
    assert last.adopted is (verdict == "present")
    if asks is not None:
        assert "bastion-2, which dana declared dead: its power supply burnt." in str(last.reason)


def test_declaring_a_machine_dead_needs_a_reason(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(step("a"))
    begun_elsewhere(stage, made, monkeypatch, Does(how="dies"))
    operator = ScriptedOperator({"elsewhere": ["dead"]})
    assert stage.drive(made, operator) == exits.WAITS
    assert operator.refusals == ["dead needs a reason."]


def test_what_only_reads_is_run_again_once_its_machine_is_dead(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(step("a", "check", options={"run": "true"}))
    begun_elsewhere(stage, made, monkeypatch, Does(how="dies"), works())
    operator = ScriptedOperator({"elsewhere": [("dead", "burnt")]})
    assert stage.drive(made, operator) == exits.DONE
    assert stage.pool.acted == ["a", "a"]


def test_a_run_that_is_to_end_waits_for_what_another_machine_does(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(step("a", verify=LOOKS))
    stage.pool.on("a", sees("absent"), mode="verify")
    begun_elsewhere(stage, made, monkeypatch, Does(how="dies"))
    operator = ScriptedOperator(person=True)
    operator.when(lambda state: bool(state.questions), Abort("enough"))
    operator.when(
        lambda state: bool(state.steps["a"].notes),
        lambda: Answer("q1", "dead", "person", "burnt"),
    )
    assert stage.drive(made, operator) == exits.ABORTED
    assert "cannot be stopped from here" in stage.journal.state().steps["a"].notes[0].text


def test_back_on_its_own_machine_nobody_need_be_dead(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(step("a"))
    left_behind(stage, made, runs())
    with monkeypatch.context() as patch:
        patch.setattr("state.stores.store.machine_id", lambda: "another")
        assert stage.drive(made) == exits.WAITS
    assert len(stage.journal.state().questions) == 1
    operator = ScriptedOperator().when(
        lambda state: not state.questions, lambda: stage.pool.finish("a")
    )
    assert stage.drive(made, operator) == exits.DONE
    assert stage.pool.acted == ["a"]


def test_a_changed_boot_makes_workers_dead(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    made = plan(step("a"))
    with monkeypatch.context() as patch:
        patch.setattr("runbook_tui.engine.attempt_events.boot_id", lambda: "before")
        left_behind(stage, made, runs())
    assert stage.drive(made) == exits.WAITS
    assert stage.statuses() == {"a": "unknown"}


def test_an_open_question_is_asked_again(stage: Stage) -> None:
    made = plan(step("a"), manual("b"))
    assert stage.drive(made) == exits.WAITS
    operator = ScriptedOperator({"b": [("done", "did it")]})
    assert stage.drive(made, operator) == exits.DONE
    assert [one.id for one in operator.asked] == ["q1"]


def test_a_wait_keeps_its_deadline(stage: Stage) -> None:
    made = plan(step("a", "wait", options={"for": "1h"}))
    waits = lambda state: state.steps["a"].wait_until is not None  # noqa: E731 - a condition
    assert stage.drive(made, ScriptedOperator().when(waits, Leave("quit"))) == exits.WAITS
    until = stage.journal.state().steps["a"].wait_until
    again = ScriptedOperator().when(lambda state: state.resumes == 1, Leave("quit"))
    assert stage.drive(made, again) == exits.WAITS
    assert stage.journal.state().steps["a"].wait_until == until


# Death at every point


def _die_at(stage: Stage, at: Sequence[int]) -> None:
    """Have the driver die before and after each of its events and starts: at these, counted."""
    passed = [0]

    def reach() -> None:
        passed[0] += 1
        if passed[0] in at:
            raise Crash

    stage.journal.before_append = lambda payloads: reach()
    stage.journal.after_append = stage.pool.before_start = stage.pool.after_start = reach


def _drive_through(
    stage: Stage, made: Plan, answers: Mapping[str, Sequence[Line]]
) -> tuple[int, int]:
    """Drive, and take up after each death; return the exit code and the number of deaths."""
    deaths = 0
    while True:
        try:
            return stage.drive(made, ScriptedOperator(answers)), deaths
        except Crash:
            deaths += 1


WHOLE = plan(
    step("a", confirm="ask", verify=LOOKS),
    group("g", step("b"), step("c", retries=Retries(1, 0.0), verify=LOOKS)),
    manual("d"),
    step("e"),
)
ANSWERS = {"a": ["yes"] * 9, "d": ["done"] * 9}


@pytest.mark.parametrize("second", [None, 5])
def test_exactly_one_effect_wherever_the_driver_dies(tmp_path: Path, second: int | None) -> None:
    """Before and after each event and each start of a worker, and once more after coming back."""
    died = 0
    for first in range(1, 60):
        stage = Stage(tmp_path / str(first))
        (tmp_path / str(first)).mkdir()
        stage.pool.on("a", sees("absent"), sees("present"), mode="verify")
        stage.pool.on("c", sees("absent"), sees("present"), mode="verify")
        _die_at(stage, [first] if second is None else [first, first + second])
        code, deaths = _drive_through(stage, WHOLE, ANSWERS)
        stage.pool.close()
        assert code == exits.DONE, first
        assert sorted(stage.pool.acted) == ["a", "b", "c", "e"], first
        assert stage.statuses() == dict.fromkeys("agbcde", "succeeded"), first
        died += deaths
        if not deaths:
            break
    assert died > 30
