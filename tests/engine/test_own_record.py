"""A look that reads the record which an act keeps of its own end (`ssh`): that is its result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from runbook_tui import exits
from runbook_tui.actions.api import Host, values_on
from runbook_tui.definition.plan import Plan, PlanHost, Verify
from runbook_tui.engine.ports import StopStep
from state.run_state import AttemptState, RunState
from state.stores.result import Result
from tests.harness.plans import environment, plan, step
from tests.harness.stage import Does, ScriptedOperator, Stage, runs, sees


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr("runbook_tui.engine.outcomes.LOOK_AGAIN", 0.01)
    stage = Stage(tmp_path)
    stage.pool.on("a", Does(how="dies"))
    yield stage
    stage.pool.close()


def remote(**given: Any) -> Plan:
    """Return a plan of one `ssh` step on one host."""
    hosts = {"app": (PlanHost("h1", None, "h1"),)}
    options = {"script": "true", "hosts": "app"}
    return plan(step("a", "ssh", options=options, **given), home=environment(groups=hosts))


def ended(verdict: str, **given: Any) -> Does:
    """Return a look that has found the act's own end."""
    return sees(verdict, detail={"ended": asdict(Result(**given))})


def last(stage: Stage) -> AttemptState:
    """Return the step's last attempt."""
    found = stage.journal.state().steps["a"].last
    assert found is not None
    return found


def test_a_failure_is_adopted_as_one(stage: Stage) -> None:
    looked = ended("unknown", status="failed", exit_code=9, reason="exit code 9")
    stage.pool.on("a", looked, mode="probe")
    assert stage.drive(remote()) == exits.FAILED
    assert (last(stage).status, last(stage).exit_code) == ("failed", 9)
    assert last(stage).reason == "exit code 9"


def test_success_is_adopted_with_its_outputs(stage: Stage) -> None:
    looked = ended("present", status="succeeded", exit_code=0, outputs={"n": "1"}, effect="done")
    stage.pool.on("a", looked, mode="probe")
    assert stage.drive(remote()) == exits.DONE
    assert (last(stage).adopted, last(stage).outputs) == (True, {"n": "1"})


def test_success_is_verified_all_the_same(stage: Stage) -> None:
    stage.pool.on("a", ended("present", status="succeeded", effect="done"), mode="probe")
    stage.pool.on("a", sees("absent"), sees("absent"), mode="verify")
    made = remote(verify=Verify("run", {"run": "true", "absent": 1}))
    assert stage.drive(made) == exits.FAILED
    assert len(stage.journal.state().steps["a"].attempts) == 1
    assert "the check after it did not find its effect" in (last(stage).reason or "")


def test_a_workers_own_failure_needs_no_look_at_the_record(stage: Stage) -> None:
    stage.pool.on("a", Does(Result("failed", exit_code=3)))
    looked = ended("unknown", status="failed", exit_code=9)
    stage.pool.on("a", looked, mode="probe")
    assert stage.drive(remote(), ScriptedOperator({"a": ["retry", "abort"]})) == exits.ABORTED
    codes = [one.exit_code for one in stage.journal.state().steps["a"].attempts]
    assert codes == [9, 3]


def test_what_is_awaited_is_stopped_by_a_look(stage: Stage) -> None:
    own = ended("unknown", status="failed", exit_code=130)
    stage.pool.on("a", sees("running"), runs(own.result), mode="probe")

    def awaits(state: RunState) -> bool:
        return any("awaited" in note.text for note in state.steps["a"].notes)

    def stops(state: RunState) -> bool:
        attempt = state.steps["a"].open_attempt
        return attempt is not None and attempt.stop_reason is not None and bool(stage.pool.live)

    operator = ScriptedOperator().when(awaits, StopStep("a", "wrong host"))
    operator.when(stops, lambda: stage.pool.finish("a"))
    assert stage.drive(remote(), operator) != exits.DONE
    assert (last(stage).status, last(stage).exit_code) == ("stopped", 130)
    assert "wrong host" in (last(stage).reason or "")


def test_the_host_at_hand_is_filled_in_where_the_script_runs(stage: Stage) -> None:
    hosts = {"app": (PlanHost("h1", None, "h1"), PlanHost("h2", None, "h2"))}
    options = {"script": "echo ${{ host }} ${{ host.address }}", "hosts": "app"}
    made = plan(step("b", "ssh", options=options), home=environment(groups=hosts))
    assert stage.drive(made) == exits.DONE
    (order,) = [order for order in stage.pool.orders if order.job.step == "b"]
    assert order.job.options["script"] == "echo ${RUNBOOK_V_1} ${RUNBOOK_V_2}"
    values = values_on(Host("h2", None, "10.0.0.2"), order.job.variables)
    assert values == {"RUNBOOK_V_1": "h2", "RUNBOOK_V_2": "10.0.0.2"}


@pytest.mark.parametrize(
    "looked",
    [
        {"ssh": "test -e ${{ host }}", "hosts": "app"},
        {"ssh": {"script": "test -e ${{ host }}", "hosts": "app"}},
    ],
)
def test_so_it_is_where_a_check_looks(stage: Stage, looked: dict[str, Any]) -> None:
    hosts = {"app": (PlanHost("h1", None, "h1"), PlanHost("h2", None, "h2"))}
    verify = Verify("ssh", {**looked, "absent": 1})
    made = plan(step("b", verify=verify), home=environment(groups=hosts))
    stage.pool.on("b", sees("present"), mode="verify")
    assert stage.drive(made) == exits.DONE
    order = stage.pool.orders[-1]
    assert order.mode == "verify"
    values = values_on(Host("h2", None, "10.0.0.2"), order.job.variables)
    assert values == {"RUNBOOK_V_1": "h2"}
