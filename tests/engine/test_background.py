"""Steps in the background: what begins beside them, what awaits them, what their failure holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook_tui import exits
from runbook_tui.definition.plan import Condition, PlanStep, Retries, When
from runbook_tui.engine.decisions import (
    AskFailure,
    AskRollback,
    Begin,
    End,
    EvaluateWhen,
    Judge,
    PlanRetry,
    StopAttempt,
)
from state.events import StepJudged, StepSkipped, WhenDecided
from state.status import StepStatus
from state.stores.result import Result
from tests.harness.plans import Story, plan, step
from tests.harness.stage import Does, ScriptedOperator, Stage, fails, runs, works


def soak(**given: object) -> PlanStep:
    return step("soak", "check", options={"run": "true"}, background=True, **given)


def join() -> PlanStep:
    return step("joined", "join", options={"join": "soak"})


def story(*more: PlanStep, **given: object) -> Story:
    return Story(plan(soak(**given), step("a", on_failure="rollback"), *more, step("z")))


def soaking(*more: PlanStep, **given: object) -> Story:
    return story(*more, **given).intended("soak", reads=True)


def test_the_next_step_begins_once_it_has_begun() -> None:
    told = story()
    assert told.next() == (Begin("soak"),)
    assert told.next("soak") == ()
    assert told.intended("soak", reads=True).next() == (Begin("a"),)


def test_its_confirmation_and_condition_come_first() -> None:
    asking = story(confirm="ask").asked("soak", "confirm", "yes")
    assert asking.next() == ()
    only_if = (When((Condition(value="flag", truth=True),)),)
    told = story(when=only_if)
    assert told.next() == (EvaluateWhen("soak"),)
    told.tell(WhenDecided("soak", False, {}), StepSkipped("soak", "unmet", "when"))
    assert told.next() == (Begin("a"),)


def test_a_join_waits_until_it_has_ended() -> None:
    told = soaking(join()).tried("a")
    assert told.next() == ()
    assert told.ended("soak").next() == (Judge("joined", "succeeded"),)
    assert told.tell(StepJudged("joined", "succeeded")).next() == (Begin("z"),)


def test_a_join_waits_for_what_is_decided_after_a_failure() -> None:
    told = soaking(join()).tried("a").ended("soak", "failed")
    assert told.next() == (AskFailure("soak"),)
    told.decided("soak", "failure", "skip", reason="a false alarm")
    told.tell(StepSkipped("soak", "a false alarm", "person"))
    assert told.next() == (Judge("joined", "succeeded"),)


def test_the_end_of_the_run_awaits_it() -> None:
    told = soaking().tried("a").tried("z")
    assert told.next() == ()
    assert told.ended("soak").next() == (End("succeeded", 0),)


def test_its_failure_is_asked_at_once_and_nothing_begins_before_the_answer() -> None:
    told = soaking().intended("a").ended("soak", "failed")
    assert told.next() == (AskFailure("soak"),)
    told.asked("soak", "failure", "retry", "skip")
    assert told.next() == ()
    assert told.ended("a").next() == ()
    told.answered("retry")
    assert told.next() == (Begin("soak"),)
    assert told.intended("soak", reads=True).next() == (Begin("z"),)


def test_a_failure_that_may_be_is_no_breach() -> None:
    assert soaking(on_failure="continue").ended("soak", "failed").next() == (Begin("a"),)


def test_a_failure_beside_it_is_asked_while_its_own_is_open() -> None:
    told = soaking().intended("a").ended("soak", "failed").asked("soak", "failure", "retry")
    told.ended("a", "unknown")
    assert told.next() == (AskFailure("a"),)


@pytest.mark.parametrize("held", [False, True])
def test_a_held_run_still_asks(held: bool) -> None:
    told = soaking().ended("soak", "failed")
    assert told.next(held=held) == (AskFailure("soak"),)


def test_a_rollback_stops_it_and_waits_until_it_is_gone() -> None:
    told = soaking().tried("a", "failed")
    reason = "A failed, and its on_failure says rollback"
    assert told.next() == (StopAttempt("soak", f"the run ends: {reason}"),)
    told.ended("soak", "stopped")
    assert told.next() == (AskRollback(reason),)


def test_a_retry_of_it_by_itself_holds_nothing() -> None:
    told = soaking(retries=Retries(2, 5.0)).ended("soak", "failed", effect="none")
    assert told.next() == (PlanRetry("soak", 5.0),)


# The whole driver


def test_it_runs_beside_the_others_until_it_is_joined(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    made = plan(soak(), step("a"), join(), step("z"))
    stage.pool.on("soak", runs()).on("a", works(), works())
    operator = ScriptedOperator().when(
        lambda state: state.steps["a"].status is StepStatus.SUCCEEDED,
        lambda: stage.pool.finish("soak", Result("succeeded")),
    )
    assert stage.drive(made, operator) == exits.DONE
    assert stage.pool.acted == ["soak", "a", "z"]
    assert stage.statuses() == dict.fromkeys(["soak", "a", "joined", "z"], "succeeded")
    stage.pool.close()


def test_a_breach_reaches_the_person_while_another_step_runs(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    made = plan(soak(), step("a"), step("z"))
    stage.pool.on("soak", Does(Result("failed", reason="p95 over its limit"), "later"), works())
    stage.pool.on("a", runs())
    operator = ScriptedOperator({"soak": ["retry"]})
    operator.when(
        lambda state: state.steps["a"].status is StepStatus.RUNNING,
        lambda: stage.pool.finish("soak", fails("p95 over its limit").result),
    ).when(
        lambda state: len(state.steps["soak"].attempts) == 2,
        lambda: stage.pool.finish("a"),
    )
    assert stage.drive(made, operator) == exits.DONE
    assert [one.step for one in operator.asked] == ["soak"]
    asked = next(one.seq for one in operator.records if one.kind == "question_asked")
    ended = next(
        one.seq
        for one in operator.records
        if one.kind == "attempt_ended" and one.data["step"] == "a"
    )
    assert asked < ended
    stage.pool.close()
