"""Whatever the plan, the outcomes and the answers: a run comes to an end, and in order."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook_tui import exits
from runbook_tui.definition.plan import Plan, PlanGroup, PlanStep, Retries, Undo, Verify
from runbook_tui.engine import plans as live
from runbook_tui.engine.ports import Answer, Command, NoAnswer
from state import fold
from state.run_state import Question, RunState
from state.status import AttemptStatus, RunStatus, StepStatus
from state.stores.result import Result
from tests.harness.plans import each, group, plan, step
from tests.harness.stage import RUN, Does, ScriptedOperator, Stage, fails, sees, works

TURNS = 3000
"""More turns of the loop than any of these runs needs: one that needs them hangs."""

LOOKS = Verify("run", {"run": "true"})
UNDO = Undo("run", {"script": "undo"})
OUTCOMES = [
    works(),
    fails(),
    fails(effect="none"),
    fails(effect="partial"),
    Does(Result("unknown", reason="lost")),
    Does(Result("stopped", cause="timeout", reason="late")),
    Does(how="dies"),
    Does(how="refuses"),
]
VERDICTS = ["present", "absent", "partial", "unknown", "running"]


def steps(id_: str) -> st.SearchStrategy[PlanStep]:
    return st.builds(
        step,
        st.just(id_),
        confirm=st.sampled_from(["none", "none", "ask"]),
        on_failure=st.sampled_from(["ask", "abort", "continue", "rollback"]),
        verify=st.sampled_from([None, LOOKS]),
        retries=st.sampled_from([None, Retries(1, 0.0)]),
        undo=st.sampled_from([None, UNDO]),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    items: list[PlanStep | PlanGroup] = []
    for number in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["step", "group", "each"]))
        if kind == "step":
            items.append(draw(steps(f"s{number}")))
        elif kind == "each":
            inside = [draw(steps(f"s{number}-{at}")) for at in range(draw(st.integers(1, 2)))]
            batch, most = draw(st.sampled_from("12")), draw(st.sampled_from("012"))
            items.append(each(f"e{number}", *inside, batch=batch, max_failures=most))
        else:
            count = draw(st.integers(2, 3))
            inside = [draw(steps(f"s{number}-{at}")) for at in range(count)]
            items.append(group(f"g{number}", *inside, fail_fast=draw(st.booleans())))
    return plan(*items)


class Chooser(ScriptedOperator):
    """Answers each question by the next number of a list, and has no answer after its end."""

    def __init__(self, numbers: Sequence[int]) -> None:
        super().__init__()
        self.numbers = list(numbers)
        self.turns = 0

    def ask(self, question: Question) -> Answer | None:
        self.asked.append(question)
        if not self.numbers:
            raise NoAnswer
        choice = question.choices[self.numbers.pop(0) % len(question.choices)]
        return Answer(question.id, choice, "person", "because")

    def commands(self, timeout: float) -> Sequence[Command]:
        self.turns += 1
        assert self.turns < TURNS, f"nothing ends: {self.state}"
        return ()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr("runbook_tui.engine.outcomes.LOOK_AGAIN", 0.0)
    monkeypatch.setattr("runbook_tui.engine.attempts.LOOK_EVERY", 0.0)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_every_run_ends_in_order(data: st.DataObject) -> None:
    made = data.draw(plans())
    operator = Chooser(data.draw(st.lists(st.integers(0, 6), max_size=12)))
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        try:
            for one in _expected(made):
                stage.pool.on(one.id, *data.draw(st.lists(st.sampled_from(OUTCOMES), min_size=1)))
                looks = data.draw(st.lists(st.sampled_from(VERDICTS), max_size=4))
                last = data.draw(st.sampled_from(VERDICTS[:-1]))
                stage.pool.on(one.id, *map(sees, [*looks, last]), mode="verify")
            code = stage.drive(made, operator)
        finally:
            stage.pool.close()
    _ended_as_it_says(stage, code)
    for run, records in stage.journal.records.items():
        state: RunState | None = None
        for record in records:
            state = fold.apply(state, record)
            if run == RUN:
                _in_order(made, state)
        assert state is not None
        _acted_once(stage, state)


def _expected(made: Plan) -> Iterator[PlanStep]:
    """Yield the steps as they will be once every list is fixed."""
    for one in made.steps():
        group_ = next((each for each in made.groups() if each.id == one.group), None)
        if group_ is None or group_.each is None:
            yield one
        else:
            yield from (replace(one, id=f"{one.id}@{name}") for name in group_.each.names)


def _ended_as_it_says(stage: Stage, code: int) -> None:
    base = stage.journal.state()
    expected = {
        exits.DONE: RunStatus.SUCCEEDED,
        exits.ABORTED: RunStatus.ABORTED,
        exits.ROLLED_BACK: RunStatus.ROLLED_BACK,
    }
    if code in expected and not (code == exits.ABORTED and base.rollback_by):
        assert base.status is expected[code]
    assert code in {*expected, exits.FAILED, exits.WAITS}
    for run in stage.journal.records:
        state = stage.journal.state(run)
        assert state.open_attempts() == ()
        if state.status is RunStatus.SUCCEEDED:
            settled = {StepStatus.SUCCEEDED, StepStatus.SKIPPED, StepStatus.FAILED}
            assert {one.status for one in state.steps.values()} <= settled


def _in_order(made: Plan, state: RunState) -> None:
    """Nothing has begun before all that stands before it was settled."""
    before: list[PlanStep] = []
    for item in live.of(made, state).phases[0].items:
        inside = list(item.steps) if isinstance(item, PlanGroup) else [item]
        begun = any(state.steps[one.id].attempts for one in inside)
        assert not begun or all(_settled(one, state) for one in before)
        if isinstance(item, PlanGroup) and item.each is not None:
            _sequences_in_order(item, state)
        before += inside


def _settled(one: PlanStep, state: RunState) -> bool:
    status = state.steps[one.id].status
    return status in (StepStatus.SUCCEEDED, StepStatus.SKIPPED, StepStatus.UNDONE) or (
        status is StepStatus.FAILED and one.on_failure == "continue"
    )


def _sequences_in_order(item: PlanGroup, state: RunState) -> None:
    """One step after another for each of the list, and no more at a time than the batch."""
    live_ones = 0
    for sequence in item.sequences():
        for place, one in enumerate(sequence):
            if state.steps[one.id].attempts:
                assert all(_settled(earlier, state) for earlier in sequence[:place])
        live_ones += any(state.steps[one.id].open_attempt is not None for one in sequence)
    assert live_ones <= int(item.each.batch if item.each else 1)


def _acted_once(stage: Stage, state: RunState) -> None:
    """For every attempt at most one worker has acted, and for a void one none."""
    for stands in state.steps.values():
        intents = [one for one in stands.attempts if one.status is not AttemptStatus.VOID]
        acted = [order for order in stage.pool.orders if order.mode == "perform"]
        mine = [one for one in acted if (one.job.run, one.job.step) == (state.run, stands.id)]
        assert [one.job.number for one in mine] == [one.number for one in intents]
