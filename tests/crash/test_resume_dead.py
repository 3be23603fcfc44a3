"""Resume where the worker died: a look, the journal and a person decide what it did."""

from __future__ import annotations

import os

import psycopg
import pytest

from runbook_tui import exits
from runbook_tui.engine.ports import StopStep
from state.run_state import RunState
from tests.crash.resuming import CHECKED, ask, fault
from tests.harness.interrupted import Interrupted, Killed
from tests.harness.processes import until
from tests.harness.stage import ScriptedOperator

pytestmark = pytest.mark.timeout(300)


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
