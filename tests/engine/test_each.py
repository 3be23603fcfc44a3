"""`each`: its list, its sequences, how many at a time, what stops it and where it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook_tui import exits
from runbook_tui.definition.plan import (
    Condition,
    Plan,
    PlanGroup,
    PlanHost,
    PlanStep,
    Retries,
    Undo,
    When,
)
from runbook_tui.engine import plans
from runbook_tui.engine.decisions import (
    AskConfirm,
    AskFailure,
    AskManual,
    Begin,
    Decision,
    End,
    EvaluateWhen,
    FixList,
    Judge,
    PlanRetry,
    Skip,
    StopAttempt,
)
from runbook_tui.engine.ports import AddNote
from state.events import (
    InstancesFixed,
    RetryPlanned,
    StepJudged,
    StepSkipped,
    WhenDecided,
)
from state.run_state import RunState
from state.status import StepStatus
from state.stores.result import Result
from tests.harness import plans as plans_
from tests.harness.plans import Story, environment, manual, plan, step
from tests.harness.stage import ScriptedOperator, Stage, fails, runs, works

HOSTS = tuple(PlanHost(f"h{number}", "ops", f"10.0.0.{number}") for number in range(1, 5))
HOME = environment(groups={"app": HOSTS})


def each(*steps: PlanStep, **given: Any) -> PlanGroup:
    """Return a group `roll`, for all hosts unless it is told otherwise."""
    return plans_.each("roll", *steps, **{"over": "host", "names": "app", **given})


def rolling(*steps: PlanStep, **given: Any) -> Plan:
    inside = steps or (step("a"), step("b"))
    return plan(each(*inside, **given), step("z"), home=HOME)


class Rolling(Story):
    """A story whose plan follows the lists that are fixed in it."""

    def next(self, *busy: str, held: bool = False) -> tuple[Decision, ...]:
        written = self.plan
        self.plan = plans.of(written, self.state)
        found = super().next(*busy, held=held)
        self.plan = written
        return found

    def did(self, host: str, *steps: str) -> Rolling:
        """Let steps of a host succeed."""
        for id_ in steps:
            self.tried(f"{id_}@{host}")
        return self

    def did_z(self) -> Rolling:
        """Let the step after it succeed."""
        self.tried("z")
        return self


def told(*steps: PlanStep, batch: int = 1, max_failures: int = 0, **given: Any) -> Rolling:
    """Return the story of an `each` over h1, h2, h3, its list fixed."""
    names = ("h1", "h2", "h3")
    story = Rolling(rolling(*steps, **given))
    story.tell(InstancesFixed("roll", "host", names, names, batch, max_failures))
    return story


def test_the_list_is_fixed_first_and_the_steps_stand_in_its_place() -> None:
    story = Rolling(rolling())
    assert story.next() == (FixList("roll"),)
    assert list(story.state.steps) == ["roll", "a", "b", "z"]
    story.tell(InstancesFixed("roll", "host", ("h1", "h2"), ("h1", "h2")))
    assert list(story.state.steps) == ["roll", "a@h1", "b@h1", "a@h2", "b@h2", "z"]
    assert story.state.steps["b@h2"].name == "B (h2)"
    expanded = plans.of(story.plan, story.state)
    assert [one.id for one in expanded.steps()] == ["a@h1", "b@h1", "a@h2", "b@h2", "z"]
    assert expanded.step("a@h1").host == HOSTS[0]
    assert [one.name for one in expanded.steps()][:4] == [
        one.name for one in story.state.children("roll")
    ]
    assert plans.of(expanded, story.state) == expanded


def test_one_sequence_after_another() -> None:
    story = told()
    assert story.next() == (Begin("a@h1"),)
    assert story.next("a@h1") == ()
    assert story.did("h1", "a").next() == (Begin("b@h1"),)
    assert story.intended("b@h1").next() == ()
    assert story.ended("b@h1").next() == (Begin("a@h2"),)
    story.did("h2", "a", "b").did("h3", "a", "b")
    assert story.next() == (Judge("roll", "succeeded"),)
    assert story.tell(StepJudged("roll", "succeeded")).next() == (Begin("z"),)


def test_as_many_at_once_as_the_batch_has() -> None:
    story = told(batch=2)
    assert story.next() == (Begin("a@h1"), Begin("a@h2"))
    story.intended("a@h1").intended("a@h2")
    assert story.next() == ()
    assert story.ended("a@h2").next() == (Begin("b@h2"),)
    story.did("h2", "b")
    assert story.next() == (Begin("a@h3"),)


def test_a_failure_is_asked_and_no_other_sequence_begins() -> None:
    story = told(batch=2).intended("a@h1").intended("a@h2").ended("a@h1", "failed")
    assert story.next() == (AskFailure("a@h1"),)
    story.asked("a@h1", "failure", "retry", "skip").ended("a@h2")
    assert story.next() == (Begin("b@h2"),)
    assert story.did("h2", "b").next() == ()


def test_a_retry_goes_on_at_the_failed_step() -> None:
    story = told().did("h1", "a").tried("b@h1", "failed").decided("b@h1", "failure", "retry")
    assert story.next() == (Begin("b@h1"),)
    assert story.tried("b@h1").next() == (Begin("a@h2"),)


def test_what_was_decided_waits_for_room_in_the_batch() -> None:
    story = told(max_failures=1).tried("a@h1", "failed").asked("a@h1", "failure", "retry")
    assert story.next() == (Begin("a@h2"),)
    story.intended("a@h2").answered("retry")
    assert story.next() == ()
    story.ended("a@h2")
    assert story.next() == (Begin("b@h2"),)
    assert story.did("h2", "b").next() == (Begin("a@h1"),)


def test_skipping_a_failed_step_goes_on_with_the_sequence() -> None:
    story = told().tried("a@h1", "failed").decided("a@h1", "failure", "skip", reason="by hand")
    assert story.next() == (Skip("a@h1", "by hand", "person"),)
    assert story.tell(StepSkipped("a@h1", "by hand", "person")).next() == (Begin("b@h1"),)


def test_no_more_than_max_failures_may_stay_failed() -> None:
    story = told(step("a", on_failure="continue"), max_failures=1)
    assert story.tried("a@h1", "failed").next() == (Begin("a@h2"),)
    assert story.tried("a@h2", "failed").next() == (AskFailure("a@h2"),)
    assert story.asked("a@h2", "failure", "retry", "skip").next() == ()
    story.answered("skip", reason="it is gone")
    assert story.next() == (Skip("a@h2", "it is gone", "person"),)
    story.tell(StepSkipped("a@h2", "it is gone", "person"))
    assert story.next() == (Begin("a@h3"),)
    story.did("h3", "a")
    assert story.next() == (Judge("roll", "failed"),)
    assert story.tell(StepJudged("roll", "failed")).did_z().next() == (End("succeeded", 1),)


def test_a_retry_by_itself_keeps_its_place() -> None:
    retries = Retries(1, 5.0)
    look = step("a", "check", options={"run": "true"}, retries=retries)
    story = told(look).tried("a@h1", "failed", reads=True)
    assert story.next() == (PlanRetry("a@h1", 5.0),)
    story.tell(RetryPlanned("a@h1", "2026-11-24T00:00:00.000000Z", "no"))
    assert story.next() == ()


def test_confirmations_are_asked_sequence_by_sequence() -> None:
    story = told(step("a", confirm="ask"), step("b"))
    assert story.next() == (AskConfirm("a@h1"),)
    assert story.asked("a@h1", "confirm", "yes").next() == ()
    assert story.answered("yes").next() == (Begin("a@h1"),)


ONLY = (When((Condition(value="flag", truth=True),)),)


def test_one_condition_for_all_of_it_and_one_for_each() -> None:
    story = Rolling(rolling(step("a", when=ONLY), head={"when": ONLY}))
    assert story.next() == (EvaluateWhen("roll"),)
    story.tell(WhenDecided("roll", True, {}))
    assert story.next() == (FixList("roll"),)
    story.tell(InstancesFixed("roll", "host", ("h1",), ("h1",)))
    assert story.next() == (EvaluateWhen("a@h1"),)


def test_left_out_it_leaves_out_its_steps() -> None:
    story = Rolling(rolling(head={"when": ONLY}))
    story.tell(WhenDecided("roll", False, {}), StepSkipped("roll", "unmet", "when"))
    assert story.next() == (Skip("a", "unmet", "when"), Skip("b", "unmet", "when"))
    story.tell(StepSkipped("a", "unmet", "when"), StepSkipped("b", "unmet", "when"))
    assert story.next() == (Begin("z"),)


def test_a_list_that_cannot_be_made_is_asked_about() -> None:
    story = Rolling(rolling()).tell(StepJudged("roll", "failed", "no host"))
    assert story.next() == (AskFailure("roll"),)
    story.decided("roll", "failure", "retry")
    assert story.next() == (FixList("roll"),)


def test_a_list_that_nobody_needs_leaves_its_steps_out() -> None:
    story = Rolling(rolling(head={"on_failure": "continue"}))
    story.tell(StepJudged("roll", "failed", "no host"))
    assert story.next() == (Skip("a", "no host", "end"), Skip("b", "no host", "end"))


def test_an_end_that_somebody_chose_leaves_no_host_between_two_steps() -> None:
    choices = {"enough": {"label": "Enough", "then": "end"}}
    look = manual("b", choices=choices)
    story = told(step("a"), look, step("c"), batch=2).did("h1", "a").did("h2", "a")
    story.decided("b@h1", "manual", "enough")
    story.tell(StepJudged("b@h1", "succeeded", reason="enough", outputs={"choice": "enough"}))
    assert story.next() == (AskManual("b@h2"),)
    story.decided("b@h2", "manual", "enough")
    story.tell(StepJudged("b@h2", "succeeded", outputs={"choice": "enough"}))
    assert story.next() == (Begin("c@h2"),)
    story.did("h2", "c")
    left = [f"{id_}@h3" for id_ in "abc"]
    skips = tuple(Skip(id_, "enough", "end") for id_ in ("c@h1", *left, "z"))
    assert story.next() == skips
    story.tell(*(StepSkipped(one.step, "enough", "end") for one in skips))
    assert story.next() == (Judge("roll", "succeeded"),)
    story.tell(StepJudged("roll", "succeeded"))
    assert story.next() == (End("succeeded", 0, "enough"),)


def test_a_rollback_waits_for_what_runs() -> None:
    story = told(step("a", on_failure="rollback"), batch=2)
    story.intended("a@h1").intended("a@h2").ended("a@h1", "failed")
    assert story.next() == ()
    story.ended("a@h2")
    assert [type(one).__name__ for one in story.next()] == ["AskRollback"]


def test_an_end_of_the_whole_run_stops_what_runs() -> None:
    story = told().intended("a@h1").decided(None, "abort", "abort", reason="enough")
    assert story.next() == (StopAttempt("a@h1", "the run ends: enough"),)


def test_in_the_background_the_next_steps_begin_beside_it() -> None:
    look = step("a", "check", options={"run": "true"})
    story = told(look, head={"background": True})
    assert story.next() == (Begin("a@h1"),)
    assert story.intended("a@h1", reads=True).next() == (Begin("z"),)
    story.did_z()
    assert story.next() == ()
    story.ended("a@h1").did("h2", "a").did("h3", "a")
    assert story.next() == (Judge("roll", "succeeded"),)


# The whole driver


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    stage = Stage(tmp_path)
    yield stage
    stage.pool.close()


def test_every_host_in_turn_with_its_own_values(stage: Stage) -> None:
    show = step("a", options={"script": 'echo "${{ host }} ${{ host.user }} ${{ host.address }}"'})
    again = step("b", options={"script": 'echo "${{ steps.a.said }}"'})
    after = step("z", options={"script": 'echo "${{ steps.a.said.by_host.h2 }}"'})
    made = plan(each(show, again, names=("h2", "app")), after, home=HOME)
    for host in ("h1", "h2", "h3", "h4"):
        stage.pool.on(f"a@{host}", works(outputs={"said": f"I am {host}"}))
    assert stage.drive(made) == exits.DONE
    order = ["h2", "h1", "h3", "h4"]
    assert stage.pool.acted == [f"{id_}@{host}" for host in order for id_ in "ab"] + ["z"]
    values = [tuple(order.job.variables.values()) for order in stage.pool.orders]
    assert values[:2] == [("h2", "ops", "10.0.0.2"), ("I am h2",)]
    assert values[-1] == ("I am h2",)
    state = stage.journal.state()
    assert state.instances["roll"].names == ("h2", "h1", "h3", "h4")


def test_items_and_a_share_as_batch(stage: Stage) -> None:
    show = step("a", options={"script": 'echo "${{ item }}"'})
    made = plan(each(show, over="item", names=("Über uns", "8.17"), batch="50%"), home=HOME)
    assert stage.drive(made) == exits.DONE
    assert stage.pool.acted == ["a@uber-uns", "a@8-17"]
    assert [tuple(one.job.variables.values()) for one in stage.pool.orders] == [
        ("Über uns",),
        ("8.17",),
    ]
    fixed = stage.journal.state().instances["roll"]
    assert (fixed.values, fixed.batch) == (("Über uns", "8.17"), 1)


def test_items_from_a_step_stay_what_they_were(stage: Stage) -> None:
    made = plan(
        step("list"),
        each(step("a"), over="item", names="${{ steps.list.names }}", batch="2"),
        home=HOME,
    )
    stage.pool.on("list", works(outputs={"names": "one\ntwo, three\n"}))
    assert stage.drive(made) == exits.DONE
    assert [one for one in stage.statuses() if "@" in one] == ["a@one", "a@two", "a@three"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"names": "nowhere"}, "has no host or group nowhere"),
        ({"names": ()}, "there is no host to do it for"),
        ({"names": "${{ steps.z.none }}"}, "has no value"),
        ({"over": "item", "names": ("A b", "a-b")}, "'A b', 'a-b' would have the same id, a-b"),
        ({"over": "item", "names": ("日本",)}, "no id can be made of the item '日本'"),
        ({"batch": "0"}, "batch is '0'"),
        ({"max_failures": "many"}, "max_failures is 'many'"),
        ({"over": "item", "names": tuple(map(str, range(1001)))}, "1001 items"),
    ],
)
def test_a_list_that_is_none(stage: Stage, given: dict[str, Any], why: str) -> None:
    operator = ScriptedOperator({"roll": [("skip", "not today")]})
    assert stage.drive(rolling(**given), operator) == exits.DONE
    assert why in operator.asked[0].shown["reason"]  # type: ignore[operator]
    assert operator.asked[0].choices == ("retry", "skip", "rollback", "abort")
    assert stage.statuses() == {"roll": "skipped", "a": "skipped", "b": "skipped", "z": "succeeded"}


def test_a_crash_in_the_middle_of_the_second_goes_on_there(stage: Stage) -> None:
    made = rolling()
    stage.pool.on("b@h2", runs())

    class CrashError(Exception):
        pass

    def die() -> None:
        raise CrashError

    operator = ScriptedOperator().when(
        lambda state: state.steps["b@h2"].status is StepStatus.RUNNING if running(state) else False,
        die,
    )
    with pytest.raises(CrashError):
        stage.drive(made, operator)
    assert stage.pool.acted == ["a@h1", "b@h1", "a@h2", "b@h2"]
    stage.pool.finish("b@h2", Result("succeeded", effect="done"))
    written = rolling(names="elsewhere")
    assert stage.drive(written) == exits.DONE, "the list is the journal's, not the file's"
    assert stage.pool.acted[4:] == ["a@h3", "b@h3", "a@h4", "b@h4", "z"]
    assert all(len(one.attempts) <= 1 for one in stage.journal.state().steps.values())


def running(state: RunState) -> bool:
    return "b@h2" in state.steps


def test_a_rollback_takes_the_instances_back_newest_first(stage: Stage) -> None:
    undo = Undo("run", {"script": 'echo "back on ${{ host }}: ${{ steps.a.old }}"'})
    made = rolling(step("a", undo=undo), step("b"))
    stage.pool.on("a@h1", works(outputs={"old": "v1"})).on("a@h2", works(outputs={"old": "v2"}))
    stage.pool.on("b@h2", fails("broken", effect="none"))
    operator = ScriptedOperator({"b@h2": [("rollback", "broken")], "rollback": ["rollback"] * 2})
    assert stage.drive(made, operator) == exits.ROLLED_BACK
    undone = [one for one in stage.pool.acted if one.startswith("undo-")]
    assert undone == ["undo-a@h2", "undo-a@h1"]
    said = {
        order.job.step: tuple(order.job.variables.values())
        for order in stage.pool.orders
        if order.job.step in undone
    }
    assert said == {"undo-a@h1": ("h1", "v1"), "undo-a@h2": ("h2", "v2")}
    assert stage.statuses()["a@h1"] == "undone"


def test_a_note_on_a_template_that_is_gone_is_the_runs(stage: Stage) -> None:
    stage.pool.on("a@h1", runs())
    operator = ScriptedOperator().when(
        lambda state: "a@h1" in state.steps and bool(state.steps["a@h1"].attempts),
        AddNote("careful", "a"),
    )
    operator.when(lambda state: bool(state.notes), lambda: stage.pool.finish("a@h1"))
    assert stage.drive(rolling(), operator) == exits.DONE
    assert [(note.text, note.step) for note in stage.journal.state().notes] == [("careful", None)]


def test_what_steps_after_it_see_of_each_host(stage: Stage) -> None:
    same, one = '"${{ steps.a.said }}"', '"${{ steps.a.own.by_host.h3 }}"'
    after = step("z", options={"script": f"echo {same} {one}"})
    differs = step("y", options={"script": 'echo "${{ steps.a.own }}"'}, on_failure="continue")
    only = When((Condition(step="a", status="succeeded"),))
    third = step("x", when=(only,))
    for host in ("h1", "h2", "h3", "h4"):
        by_host = {host: {"said": "all", "own": f"by {host}"}}
        stage.pool.on(f"a@{host}", works(by_host=by_host))
    made = plan(each(step("a")), after, differs, third, home=HOME)
    assert stage.drive(made) == exits.DONE
    [told_of_z] = [order for order in stage.pool.orders if order.job.step == "z"]
    assert tuple(told_of_z.job.variables.values()) == ("all", "by h3")
    state = stage.journal.state()
    assert "differs from host to host (h1: by h1, h2: by h2" in (state.steps["y"].reason or "")
    assert state.steps["x"].status is StepStatus.SUCCEEDED
