"""Resume where nothing can have happened: not begun, waiting, asked, or reading only."""

from __future__ import annotations

from signal import SIGKILL

import pytest

from runbook_tui import exits, proc
from runbook_tui.engine.ports import Leave
from state.stores import signals
from tests.crash.resuming import an_hour_later, fault
from tests.harness.http import serving
from tests.harness.interrupted import Interrupted, Killed
from tests.harness.processes import until
from tests.harness.stage import ScriptedOperator

pytestmark = pytest.mark.timeout(300)


def test_a_step_never_begun_goes_on_normally(
    run: Interrupted, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write("- {id: a, run: echo a >> EFFECTS}\n- {id: b, run: echo b >> EFFECTS}")
    with fault(monkeypatch, "driver.before-intent@b:error"):
        assert run.begin() is None
    assert (run.stands("a"), run.stands("b")) == ("succeeded", "pending")
    assert run.resume() == exits.DONE
    assert run.lines() == ["a", "b"]


def test_children_of_a_group_are_judged_each_for_itself(
    run: Interrupted, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write("""
      - id: both
        parallel:
          - {id: a, run: "echo a >> EFFECTS", verify: {run: grep -q a EFFECTS, absent: [1, 2]}}
          - {id: b, run: "echo b >> EFFECTS"}
    """)
    with fault(monkeypatch, "worker.before-act@a:kill"):
        run.leave_behind("a", "b")
    until(lambda: run.attempt("b").read_result(), "the result of b")
    until(lambda: not run.attempt("a").live().alive, "the death of a")
    assert run.resume() == exits.DONE
    assert sorted(run.lines()) == ["a", "b"]
    assert (run.pool.acts("a"), run.pool.acts("b")) == (2, 1)


def test_a_failure_asks_again(run: Interrupted, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write("- {id: a, run: 'test -e EFFECTS'}")
    with fault(monkeypatch, "driver.after-outcome@a:error"):
        assert run.begin() is None
    assert run.stands("a") == "failed"
    asked = ScriptedOperator()
    assert run.resume(asked) == exits.FAILED
    run.effects.write_text("")
    again = ScriptedOperator({"a": ["retry"]})
    assert run.resume(again) == exits.DONE
    assert [one.id for one in asked.asked] == [one.id for one in again.asked] == ["q1"]


def test_a_confirmation_and_a_manual_item_ask_again(run: Interrupted) -> None:
    run.write("""
      - {id: a, run: echo a >> EFFECTS, confirm: ask}
      - {id: b, manual: Look at it.}
    """)

    def die() -> None:
        raise Killed

    asked = ScriptedOperator(person=True).when(lambda state: bool(state.questions), die)
    assert run.begin(asked) is None
    again = ScriptedOperator({"a": ["yes"], "b": []}, person=True)
    again.when(lambda state: any(one.step == "b" for one in state.questions), die)
    assert run.resume(again) is None
    assert again.asked[0].id == asked.asked[0].id
    last = ScriptedOperator({"b": ["done"]})
    assert run.resume(last) == exits.DONE
    assert [one.step for one in last.asked] == ["b"]
    assert run.lines() == ["a"]


def test_a_wait_keeps_its_deadline(run: Interrupted, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write("- {id: a, wait: {for: 1h}}\n- {id: b, run: echo b >> EFFECTS}")
    waits = lambda state: state.steps["a"].wait_until is not None  # noqa: E731 - a condition
    assert run.begin(ScriptedOperator().when(waits, Leave("quit"))) == exits.WAITS
    until_ = run.step("a").wait_until
    taken_up = lambda state: state.resumes == 1  # noqa: E731 - a condition
    assert run.resume(ScriptedOperator().when(taken_up, Leave("quit"))) == exits.WAITS
    assert run.step("a").wait_until == until_
    an_hour_later(monkeypatch)
    assert run.resume() == exits.DONE
    assert run.step("a").reason == f"waited until {until_}"


def test_a_retry_keeps_its_deadline(run: Interrupted, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write("""
      - id: a
        run: test -e EFFECTS
        verify: {run: test -e EFFECTS, absent: 1}
        retries: {times: 1, delay: 1h}
    """)
    waits = lambda state: state.steps["a"].retry_until is not None  # noqa: E731 - a condition
    assert run.begin(ScriptedOperator().when(waits, Leave("quit"))) == exits.WAITS
    until_ = run.step("a").retry_until
    taken_up = lambda state: state.resumes == 1  # noqa: E731 - a condition
    assert run.resume(ScriptedOperator().when(taken_up, Leave("quit"))) == exits.WAITS
    assert run.step("a").retry_until == until_
    assert len(run.step("a").attempts) == 1
    run.effects.write_text("")
    an_hour_later(monkeypatch)
    assert run.resume() == exits.DONE
    assert len(run.step("a").attempts) == 2


def test_what_was_never_claimed_is_run(run: Interrupted, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write("- {id: a, confirm: ask, run: 'echo a >> EFFECTS'}")
    with fault(monkeypatch, "driver.after-intent@a:error"):
        assert run.begin(ScriptedOperator({"a": ["yes"]})) is None
    assert run.attempt("a").claimed() is None
    assert run.resume() == exits.DONE  # and nobody is asked again
    assert run.attempt("a").claimed() == "void"
    assert [one.status.value for one in run.step("a").attempts] == ["void", "succeeded"]
    assert run.lines() == ["a"]


def test_what_only_reads_is_run_again(run: Interrupted, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write("- {id: a, check: {run: 'echo a >> EFFECTS'}}")
    with fault(monkeypatch, "worker.after-act@a:kill"):
        run.leave_dead("a")
    assert run.resume() == exits.DONE
    assert run.lines() == ["a", "a"]


def test_a_monitor_keeps_the_time_it_served(run: Interrupted) -> None:
    with serving() as web:
        run.write(f"""
          - id: a
            monitor:
              for: 3s
              every: 100ms
              http: [{{url: "{web.url}"}}]
        """)
        run.leave_behind("a")
        directory = run.attempt("a")
        until(lambda: len(signals.read_samples(directory)[0]) >= 5, "five samples")
        worker = directory.worker()
        assert worker is not None
        proc.send(worker, SIGKILL)
        until(lambda: not directory.live().alive, "the worker's death")
        kept = signals.read_samples(directory)[0]
        assert run.resume() == exits.DONE
        again = signals.read_samples(run.attempt("a", 2))[0]
    served = [float(str(one["served"])) for one in again]
    assert again[: len(kept)] == kept or served[0] > float(str(kept[-1]["served"]))
    assert served[-1] == 3.0
