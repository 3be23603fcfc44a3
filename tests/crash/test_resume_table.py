"""The resume table, a row a test: real workers, a real journal, a driver that died.

The rows are those of `docs/resume.md`, word for word; two tests at the end hold both together.

| row | test |
|---|---|
| the step was never begun | test_a_step_never_begun_goes_on_normally |
| children of a group, a step's undo | test_children_of_a_group_are_judged_each_for_itself |
|  | test_an_undo_is_judged_by_what_it_left |
| a failed step whose question nobody answered | test_a_failure_asks_again |
| an open confirmation, or an item for a person | test_a_confirmation_and_a_manual_item_ask_again |
| a `wait`, or the delay before a retry | test_a_wait_keeps_its_deadline |
|  | test_a_retry_keeps_its_deadline |
| an attempt that another machine began | test_another_machine_is_awaited |
|  | test_a_machine_declared_dead_is_looked_after |
| a stop had been asked for | test_a_stop_that_was_asked_for_is_finished |
| a result file, whole | test_a_result_is_adopted |
|  | test_a_result_is_adopted_though_the_lock_is_held |
| the worker, or a process of its command, is alive | test_a_living_worker_is_taken_up |
|  | test_a_living_worker_may_be_stopped |
|  | test_it_is_alive_though_its_directory_was_removed |
|  | test_it_may_be_stopped_though_its_directory_was_removed |
| the worker never took its claim | test_what_was_never_claimed_is_run |
| a read-only step without a result | test_what_only_reads_is_run_again |
|  | test_a_monitor_keeps_the_time_it_served |
| the worker is dead, and a probe says that it still goes on | test_what_still_goes_on_is_awaited |
|  | test_nothing_is_run_beside_what_still_goes_on |
| … that the effect is there | test_an_effect_that_is_there_is_adopted |
|  | test_a_changed_boot_makes_a_worker_dead |
|  | test_what_was_there_before_proves_nothing |
| … that it is not there | test_an_absent_effect_is_made_after_its_confirmation |
| … that a part of it is there | test_a_part_is_shown_and_gone_on_with |
| … nothing can tell | test_without_a_look_nobody_knows |
|  | test_a_corrupt_result_is_no_result |
|  | test_a_directory_that_is_gone_says_nothing |
|  | test_a_directory_that_is_gone_is_no_proof_that_nobody_acts |
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from signal import SIGKILL

import psycopg
import pytest

from runbook_tui import exits, proc
from runbook_tui.engine import clock
from runbook_tui.engine.ports import Leave, StopStep
from runbook_tui.engine.workers import Workers
from state.run_state import RunState
from state.stores import signals
from tests.harness import postgres
from tests.harness.http import serving
from tests.harness.interrupted import Interrupted, Killed
from tests.harness.processes import until
from tests.harness.stage import ScriptedOperator

pytestmark = pytest.mark.timeout(300)

DOCS = Path(__file__).parents[2] / "docs" / "resume.md"
CHECKED = """\
- id: a
  name: First
  run: echo a >> EFFECTS
  verify: {run: grep -q a EFFECTS, absent: [1, 2]}
"""
WAITING = """\
- id: a
  run: |
    echo begun >> EFFECTS
    until test -e GATE; do sleep 0.05; done
    echo done >> EFFECTS
  verify: {run: grep -q done EFFECTS, absent: [1, 2]}
"""


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    pool = Workers()
    yield pool
    pool.close()


@pytest.fixture
def run(tmp_path: Path, workers: Workers) -> Interrupted:
    return Interrupted(tmp_path, workers)


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with postgres.running() as server:
        yield server


@pytest.fixture
def database(server: postgres.Server) -> Iterator[str]:
    url = server.create()
    yield url
    server.drop(url)


@contextmanager
def fault(monkeypatch: pytest.MonkeyPatch, text: str) -> Iterator[None]:
    """Have workers and driver die at this point, for a while."""
    with monkeypatch.context() as patch:
        patch.setenv("RUNBOOK_FAULT", text)
        yield


def ask(database: str, query: str) -> object:
    """Return the one value that a query answers with."""
    with psycopg.connect(database) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


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


def test_an_undo_is_judged_by_what_it_left(
    run: Interrupted, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(f"""
      - id: a
        run: "exit 1"
        undo: {{sql: {{query: create table undone (), database: "{database}", write: true}}}}
    """)
    with fault(monkeypatch, "sql.committed@a:kill"):
        died = 0

        def die_at_the_undo(step: str) -> None:
            nonlocal died
            died += 1
            if died == 2:
                raise Killed

        run.pool.after_start = die_at_the_undo
        assert run.begin(ScriptedOperator({"a": ["undo"]})) is None
        run.pool.after_start = lambda step: None
    undo = run.attempt("a", 2)
    until(lambda: undo.claimed() and not undo.live().alive, "the death of the undo")
    operator = ScriptedOperator()
    assert run.resume(operator) == exits.WAITS
    assert run.stands("a") == "undone"
    assert run.step("a").attempts[1].adopted
    assert operator.asked[0].text == "a is undone. What now?"
    assert ask(database, "select count(*) from pg_tables where tablename = 'undone'") == 1


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


def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock of the engine be an hour ahead."""
    utc = clock.utc
    monkeypatch.setattr(
        clock, "utc", lambda ahead=0.0: utc(ahead + timedelta(hours=1).total_seconds())
    )


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


@contextmanager
def another_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be another machine for a while; its attempts are none of ours."""
    with monkeypatch.context() as patch:
        patch.setattr("runbook_tui.engine.attempt_events.machine_id", lambda: "another")
        yield


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


def still_at_it(run: Interrupted, database: str) -> psycopg.Connection[tuple[object, ...]]:
    """Return a connection at work in the name of the run's first step, as a late backend is."""
    name = f"runbook {run.recorded().run} a"
    connection = psycopg.connect(database, application_name=name)
    connection.execute("create table in_the_works ()")
    return connection


def migration(run: Interrupted, database: str, **files: str) -> None:
    """Write a runbook with one migration, and its files."""
    (run.directory / "migrations").mkdir()
    for name, text in files.items():
        (run.directory / "migrations" / f"{name.lstrip('_')}.sql").write_text(text)
    run.write(f'- {{id: a, migrate: {{database: "{database}"}}}}')


def test_what_still_goes_on_is_awaited(
    run: Interrupted, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration(run, database, _1_t="create table t ()")
    monkeypatch.setattr("runbook_tui.engine.outcomes.LOOK_AGAIN", 0.1)
    with fault(monkeypatch, "worker.before-act@a:kill"):
        run.leave_dead("a")
    late = still_at_it(run, database)
    pid = late.info.backend_pid

    def noted(state: RunState) -> bool:
        return any(f"backend {pid} (idle in" in note.text for note in state.steps["a"].notes)

    def end() -> None:
        assert run.pool.acts("a") == 1
        late.close()

    assert run.resume(ScriptedOperator().when(noted, end)) == exits.DONE
    assert run.pool.acts("a") == 2
    assert ask(database, "select count(*) from schema_log") == 1


def test_nothing_is_run_beside_what_still_goes_on(
    run: Interrupted, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration(run, database, _1_t="create table t ()")
    with fault(monkeypatch, "worker.before-act@a:kill"):
        run.leave_dead("a")
    late = still_at_it(run, database)
    operator = ScriptedOperator({"a": ["retry"]})
    operator.when(lambda state: bool(state.steps["a"].notes), StopStep("a", "no more waiting"))
    assert run.resume(operator) == exits.WAITS
    assert run.pool.acts("a") == 1
    assert "nothing is run beside it" in str(operator.asked[1].shown["note"])
    late.close()
    assert run.resume(ScriptedOperator({"a": ["retry"]})) == exits.DONE
    assert run.pool.acts("a") == 2


def test_an_effect_that_is_there_is_adopted(
    run: Interrupted, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("create table t (a int)")
    run.write(f"""
      - id: a
        sql:
          database: "{database}"
          query: insert into t values (7) returning a
          write: true
      - {{id: b, run: 'echo "${{{{ steps.a.value }}}}" >> EFFECTS'}}
    """)
    with fault(monkeypatch, "sql.committed@a:kill"):
        run.leave_dead("a")
    assert run.resume() == exits.DONE
    last = run.step("a").attempts[0]
    assert (last.adopted, last.verdict) == (True, "present")
    assert str(run.step("a").reason).startswith("found done: Transaction ")
    assert run.lines() == ["7"]
    assert ask(database, "select count(*) from t") == 1


def test_a_changed_boot_makes_a_worker_dead(
    run: Interrupted, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(CHECKED)
    with monkeypatch.context() as patch:
        patch.setattr("runbook_tui.engine.attempt_events.boot_id", lambda: "the boot before")
        with fault(monkeypatch, "worker.after-act@a:kill"):
            run.leave_dead("a")
    held = run.attempt("a").hold()  # whoever has the lock now: it is none of that boot
    try:
        assert run.resume() == exits.DONE
    finally:
        os.close(held)
    assert run.step("a").adopted
    assert run.lines() == ["a"]


def test_what_was_there_before_proves_nothing(
    run: Interrupted, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(CHECKED)
    run.effects.write_text("a\n")
    with fault(monkeypatch, "worker.before-act@a:kill"):
        run.leave_dead("a")
    operator = ScriptedOperator()
    assert run.resume(operator) == exits.WAITS
    assert operator.asked[0].asks == "unknown"
    assert "It was there before the first try already" in str(run.step("a").reason)
    assert run.pool.acts("a") == 1


def test_an_absent_effect_is_made_after_its_confirmation(
    run: Interrupted, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(f"{CHECKED}  confirm: ask\n")
    with fault(monkeypatch, "worker.before-act@a:kill"):
        run.leave_dead("a", ScriptedOperator({"a": ["yes"]}))
    operator = ScriptedOperator({"a": ["yes"]})
    assert run.resume(operator) == exits.DONE
    assert [one.asks for one in operator.asked] == ["confirm"]
    assert [one.status.value for one in run.step("a").attempts] == ["failed", "succeeded"]
    assert run.lines() == ["a"]


def test_a_part_is_shown_and_gone_on_with(
    run: Interrupted, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration(run, database, _1_t="create table t ()", _2_u="create table u ()")
    with fault(monkeypatch, "migrate.committed@a:kill"):
        run.leave_dead("a")
    operator = ScriptedOperator({"a": ["continue"]})
    assert run.resume(operator) == exits.DONE
    (question,) = operator.asked
    assert question.text == "a is partly done. What now?"
    assert question.shown["found"] == ["1_t.sql is applied"]
    assert question.shown["missing"] == ["2_u.sql is not applied"]
    assert question.shown["left"] == ["2_u.sql"]
    assert ask(database, "select count(*) from schema_log") == 2


def test_without_a_look_nobody_knows(run: Interrupted, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write("- {id: a, run: echo a >> EFFECTS}")
    with fault(monkeypatch, "worker.after-act@a:kill"):
        run.leave_dead("a")
    operator = ScriptedOperator({"a": [("verified", "I see the line")]})
    assert run.resume(operator) == exits.DONE
    assert operator.asked[0].text == "a has an outcome that nobody knows. What now?"
    assert run.step("a").proof == "person"
    assert run.lines() == ["a"]


def test_a_corrupt_result_is_no_result(run: Interrupted) -> None:
    run.write("- {id: a, run: echo a >> EFFECTS}")
    run.leave_behind("a")
    until(lambda: run.attempt("a").read_result(), "the result")
    until(lambda: not run.attempt("a").live().alive, "the worker's end")
    result = run.attempt("a").path / "result.json"
    result.write_bytes(result.read_bytes()[:40])
    operator = ScriptedOperator()
    assert run.resume(operator) == exits.WAITS
    assert operator.asked[0].asks == "unknown"
    assert "not JSON" in str(run.step("a").reason)
    assert run.lines() == ["a"]


def test_a_directory_that_is_gone_says_nothing(run: Interrupted) -> None:
    run.write("- {id: a, run: echo a >> EFFECTS}")
    run.leave_behind("a")
    directory = run.attempt("a")
    until(lambda: directory.read_result() and not directory.live().alive, "the end")
    directory.path.rename(run.directory / "gone")
    operator = ScriptedOperator()
    assert run.resume(operator) == exits.WAITS
    assert operator.asked[0].asks == "unknown"
    assert run.lines() == ["a"]


def test_a_directory_that_is_gone_is_no_proof_that_nobody_acts(
    run: Interrupted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moved away and not deleted, it shows nobody at work: `absent` may be true only so far."""
    run.write(CHECKED)
    with fault(monkeypatch, "worker.before-act@a:kill"):
        run.leave_dead("a")
    run.attempt("a").path.rename(run.directory / "gone")
    operator = ScriptedOperator()
    assert run.resume(operator) == exits.FAILED
    assert operator.asked[0].asks == "failure"
    assert "attempts/a.1 is gone" in str(run.step("a").reason)
    assert run.lines() == []


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


def table() -> dict[str, list[str]]:
    """Return the rows of this module's table with their tests."""
    rows: dict[str, list[str]] = {}
    last = ""
    for row, test in re.findall(r"^\| (.*?) *\| (test_\w+) \|$", __doc__ or "", re.MULTILINE):
        last = row.strip() or last
        rows.setdefault(last, []).append(test)
    return rows


def test_every_row_names_tests_and_every_test_is_named() -> None:
    named = {test for tests in table().values() for test in tests}
    about = {"test_every_row_names_tests_and_every_test_is_named", "test_the_rows_are_the_page_s"}
    assert named == {name for name in globals() if name.startswith("test_")} - about


def test_the_rows_are_the_page_s() -> None:
    page = DOCS.read_text(encoding="utf-8")
    rows = page.partition("| what it finds |")[2].partition("\n\n")[0].splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == list(table())
