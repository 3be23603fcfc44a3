"""A decision is the same whether the settled steps are walked through or passed over."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook_tui import exits
from runbook_tui.definition.plan import Plan, PlanGroup
from runbook_tui.engine import decide as deciding
from runbook_tui.engine import driver, plan_index
from runbook_tui.engine.decisions import Decision
from runbook_tui.engine.facts import Facts
from runbook_tui.engine.plan_index import Item, PlanIndex
from state.run_state import RunState
from tests.engine.test_any_plan import OUTCOMES, Chooser, plans
from tests.harness.plans import group, plan, step
from tests.harness.stage import ScriptedOperator, Stage

_decide = deciding.decide


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have the driver decide in both ways, and note how many items were passed over each time."""
    passed: list[int] = []

    def decide(made: Plan, state: RunState, facts: Facts) -> tuple[Decision, ...]:
        index = plan_index.of(made)
        passed.append(len(index.items) - len(index.unsettled(state)))
        found = _decide(made, state, facts)
        with monkeypatch.context() as patch:
            patch.setattr(PlanIndex, "unsettled", lambda index, state: index.items)
            assert _decide(made, state, facts) == found
        return found

    monkeypatch.setattr(driver, "decide", decide)
    monkeypatch.setattr("os.fsync", lambda handle: None)
    return passed


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_whatever_the_plan(compared: list[int], data: st.DataObject) -> None:
    made = data.draw(plans())
    operator = Chooser(data.draw(st.lists(st.integers(0, 6), max_size=12)))
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        try:
            for one in made.steps():
                stage.pool.on(one.id, *data.draw(st.lists(st.sampled_from(OUTCOMES), min_size=1)))
            stage.drive(made, operator)
        finally:
            stage.pool.close()
    assert compared


def test_what_is_done_is_passed_over(compared: list[int], tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    items: list[Item] = [step("a"), group("g", step("b"), step("c")), step("d")]
    assert stage.drive(plan(*items), ScriptedOperator()) == exits.DONE
    assert compared == sorted(compared)
    assert set(compared) == {0, 1, 2, 3}


def test_a_run_in_another_order_is_walked_through(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    made = plan(step("a"), step("b"))
    assert stage.drive(made, ScriptedOperator()) == exits.DONE
    assert plan_index.of(made).unsettled(stage.journal.state()) == ()
    other = plan(step("b"), step("a"))
    assert plan_index.of(other).unsettled(stage.journal.state()) == tuple(other.steps())
    assert not any(isinstance(item, PlanGroup) for item in plan_index.of(other).items)
