"""A worker begins soon after its claim or never; a void attempt begins nothing."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from runbook_tui import exits
from runbook_tui.engine import clock
from state.claims import Claimant, Claimed
from tests.engine.test_recovery import begun_elsewhere
from tests.harness.attempts import Attempts, result
from tests.harness.plans import plan, step
from tests.harness.processes import until
from tests.harness.stage import Does, ScriptedOperator, Stage, works


class Rows:
    """Claims that say what a test wants, and remember what was asked."""

    def __init__(self, **says: Claimed) -> None:
        self.says = says
        self.asked: list[tuple[str, str]] = []

    def claim(self, run: str, attempt: str, claimant: Claimant, *, token: int) -> Claimed:
        self.asked.append((attempt, claimant))
        return self.says.get(claimant, Claimed(ours=True))


def with_rows(stage: Stage, rows: Rows) -> None:
    """Have a stage drive over a store with these claims."""
    stage.place = replace(stage.place, store=replace(stage.store, claims=rows))


@pytest.fixture
def stage(tmp_path: object) -> Stage:
    return Stage(tmp_path)  # type: ignore[arg-type]  # a Path


def test_a_worker_that_comes_too_late_does_not_act(attempts: Attempts) -> None:
    late = attempts.directory()
    order = attempts.order(late, {"do": "effect"})
    attempts.pool.start(replace(order, begin_by=clock.since_boot() - 1))
    until(lambda: late.claimed() == "void", "the worker's leaving")
    in_time = attempts.directory()
    order = attempts.order(in_time, {"do": "effect"})
    attempts.pool.start(replace(order, begin_by=clock.since_boot() + 600))
    assert result(in_time).status == "succeeded"
    assert (attempts.base / "effect").read_text().count("\n") == 1
    assert late.read_result() is None


def test_each_attempt_is_claimed_and_its_worker_told_by_when_to_begin(stage: Stage) -> None:
    rows = Rows(worker=Claimed(ours=True, left=10.0))
    with_rows(stage, rows)
    before = clock.since_boot()
    assert stage.drive(plan(step("a"))) == exits.DONE
    [(attempt, claimant)] = rows.asked
    assert (attempt.endswith("a.1"), claimant) == (True, "worker")
    by = stage.pool.orders[0].begin_by
    assert by is not None
    assert before + 10.0 <= by <= clock.since_boot() + 10.0


def test_one_machine_alone_sets_no_time(stage: Stage) -> None:
    assert stage.drive(plan(step("a"))) == exits.DONE
    assert stage.pool.orders[0].begin_by is None


def test_what_was_declared_void_elsewhere_begins_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runbook_tui.engine.looks.PATIENCE", 0.0)
    rows = Rows(worker=Claimed(ours=False, left=3.0))
    with_rows(stage, rows)

    def second(state: object) -> bool:
        return len(rows.asked) == 2

    operator = ScriptedOperator().when(second, rows.says.clear)
    assert stage.drive(plan(step("a")), operator) == exits.DONE
    assert stage.journal.kinds().count("attempt_voided") >= 1
    assert stage.pool.acted == ["a"]


def test_a_machine_declared_dead_is_looked_after_when_its_worker_can_begin_no_more(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(step("a", "check", options={"run": "true"}))
    begun_elsewhere(stage, made, monkeypatch, Does(how="dies"), works())
    with_rows(stage, Rows(void=Claimed(ours=False, left=0.3)))
    began = time.monotonic()
    assert stage.drive(made, ScriptedOperator({"elsewhere": [("dead", "burnt")]})) == exits.DONE
    assert time.monotonic() - began >= 0.3
    assert stage.pool.acted == ["a", "a"]
