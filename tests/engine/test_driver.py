"""The driver's loop with scripted workers: outcomes, questions, groups, ends."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui import exits
from runbook_tui.definition.plan import PlanParameter, Retries, SecretSource, Undo, Verify
from runbook_tui.engine.ports import (
    Abort,
    AddNote,
    Answer,
    Hold,
    Leave,
    NotNow,
    Release,
    RollBack,
    StopStep,
)
from state.run_state import RunState
from state.status import StepStatus
from state.stores.result import Result
from tests.harness.plans import environment, group, manual, plan, step
from tests.harness.stage import RUN, Does, ScriptedOperator, Stage, fails, runs, sees, works

LOOKS = Verify("run", {"run": "true"})


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.pool.close()


def is_asked(state: RunState) -> bool:
    return bool(state.questions)


def live(*steps: str):  # type: ignore[no-untyped-def]  # a condition on the state
    return lambda state: all(state.steps[id_].open_attempt for id_ in steps)


def test_a_run_to_its_end(stage: Stage) -> None:
    stage.pool.on("a", works(outputs={"rev": "42"}))
    made = plan(step("a"), step("b", options={"script": "echo ${{ steps.a.rev }} ${{ run.id }}"}))
    assert stage.drive(made) == exits.DONE
    assert stage.statuses() == {"a": "succeeded", "b": "succeeded"}
    job = stage.pool.orders[-1].job
    assert job.options["script"] == "echo ${RUNBOOK_V_1} ${RUNBOOK_V_2}"
    assert job.variables == {"RUNBOOK_V_1": "42", "RUNBOOK_V_2": "1123-k7f3"}
    assert stage.journal.state().steps["a"].proof == "machine"


class TestQuestions:
    def test_without_an_answer_a_failure_is_exit_1_and_resumable(self, stage: Stage) -> None:
        stage.pool.on("a", fails("no space"), works())
        made = plan(step("a"))
        assert stage.drive(made) == exits.FAILED
        assert stage.journal.state().status == "failed"
        operator = ScriptedOperator({"a": ["retry"]})
        assert stage.drive(made, operator) == exits.DONE
        assert [one.number for one in stage.journal.state().steps["a"].attempts] == [1, 2]

    def test_without_an_answer_a_confirmation_is_exit_3(self, stage: Stage) -> None:
        made = plan(step("a", confirm="ask"))
        assert stage.drive(made) == exits.WAITS
        assert stage.pool.acted == []
        assert stage.drive(made, ScriptedOperator({"a": ["yes"]})) == exits.DONE

    def test_a_wrong_name_does_not_confirm(self, stage: Stage) -> None:
        made = plan(step("a", confirm="typed", environment="prod"), home=environment("prod"))
        operator = ScriptedOperator(person=True)

        def answer(text: str) -> Answer:
            return Answer("q1", "yes", "person", fields={"typed": text})

        operator.when(is_asked, answer("staging")).when(is_asked, answer(" PROD "))
        assert stage.drive(made, operator) == exits.DONE
        assert operator.refusals == ["Type prod to go on; staging was typed."]

    def test_an_answer_counts_once(self, stage: Stage) -> None:
        made = plan(step("a", confirm="ask"), step("b", confirm="ask"))
        operator = ScriptedOperator(person=True)
        operator.when(is_asked, Answer("q1", "yes", "person"))
        operator.when(lambda state: state.steps["a"].done, Answer("q1", "yes", "person"))
        operator.when(is_asked, Answer("q2", "skip", "person", "not today"))
        assert stage.drive(made, operator) == exits.DONE
        assert stage.statuses() == {"a": "succeeded", "b": "skipped"}

    def test_verified_by_the_machine(self, stage: Stage) -> None:
        stage.pool.on("a", fails()).on(
            "a", sees("absent"), sees("absent"), sees("present"), mode="verify"
        )
        operator = ScriptedOperator({"a": ["verified"]})
        assert stage.drive(plan(step("a", verify=LOOKS)), operator) == exits.DONE
        assert stage.journal.state().steps["a"].proof == "machine"

    def test_verified_by_a_person_needs_a_reason(self, stage: Stage) -> None:
        stage.pool.on("a", fails())
        operator = ScriptedOperator({"a": ["verified", ("verified", "I saw it")]})
        assert stage.drive(plan(step("a")), operator) == exits.DONE
        stands = stage.journal.state().steps["a"]
        assert (stands.proof, stands.reason) == ("person", "I saw it")
        assert "say what you saw" in str(operator.asked[1].shown["note"])

    def test_partly_done_offers_to_continue(self, stage: Stage) -> None:
        stage.pool.on("a", fails(effect="partial", detail={"missing": ["0009"]}), works())
        operator = ScriptedOperator({"a": ["continue"]})
        assert stage.drive(plan(step("a")), operator) == exits.DONE
        assert operator.asked[0].shown["missing"] == ["0009"]

    def test_of_many_hosts_only_those_that_are_not_done_are_left(self, stage: Stage) -> None:
        states = {"h1": "done", "h2": "waiting", "h3": "failed", "h4": "unknown"}
        hosts = {name: {"state": state, "code": None} for name, state in states.items()}
        none = {name: {"state": "failed", "code": 1} for name in states}
        stage.pool.on("a", fails(effect="unknown", detail={"hosts": none}))
        stage.pool.on("a", fails(effect="unknown", detail={"hosts": hosts}), works())
        operator = ScriptedOperator({"a": ["retry", "retry"]})
        assert stage.drive(plan(step("a")), operator) == exits.DONE
        first, second = (asked.shown for asked in operator.asked)
        assert "left" not in first
        assert (second["left"], second["waiting"], second["done"]) == (["h3", "h4", "h2"], 1, 1)

    def test_what_was_taken_back_counts_no_more(self, stage: Stage) -> None:
        stage.pool.on("a", fails(effect="partial"), fails(effect="partial"), works())
        stage.pool.on("a", fails(effect="none"), works(), works())
        made = plan(step("a", undo=Undo("run", {"script": "back"})))
        operator = ScriptedOperator({"a": ["retry", "undo", "retry", "undo", "retry"]})
        assert stage.drive(made, operator) == exits.DONE
        tries = [one.directory for one in stage.journal.state().steps["a"].attempts]
        given = [one.job.previous for one in stage.pool.orders]
        root = stage.root
        assert [len(one) for one in given] == [0, 1, 0, 0, 1, 0]
        assert given[4] == (str(root / tries[2]),)  # what the second undo took back had no effect

    def test_undo_asks_again_and_can_be_done_again(self, stage: Stage) -> None:
        stage.pool.on("a", fails(effect="partial", outputs={"old": "v1"}), works(), works())
        made = plan(step("a", undo=Undo("run", {"script": "back ${{ steps.a.old }}"})))
        operator = ScriptedOperator({"a": ["undo", "retry"]})
        assert stage.drive(made, operator) == exits.DONE
        assert stage.pool.orders[1].job.variables == {"RUNBOOK_V_1": "v1"}
        assert "undo" not in operator.asked[1].choices
        assert [one.undo for one in stage.journal.state().steps["a"].attempts] == [
            False,
            True,
            False,
        ]

    def test_a_manual_step_wants_what_its_author_wants(self, stage: Stage) -> None:
        made = plan(
            manual(
                "a",
                choices={"go": "Go", "wait": {"label": "Wait", "reason": "required"}},
                record={"pr": {"prompt": "URL", "pattern": "https://.*"}},
            )
        )
        operator = ScriptedOperator(person=True)
        for reason, fields in (
            (None, {"pr": "https://x"}),
            ("so", {}),
            ("so", {"pr": "ftp://x"}),
            ("so", {"pr": "https://x", "other": "1"}),
            ("so", {"pr": "https://x"}),
        ):
            operator.when(is_asked, Answer("q1", "wait", "person", reason, fields))
        assert stage.drive(made, operator) == exits.DONE
        stands = stage.journal.state().steps["a"]
        assert stands.outputs == {"choice": "wait", "pr": "https://x"}
        assert (stands.proof, len(operator.refusals)) == ("person", 4)


class TestOutcomes:
    @pytest.mark.parametrize(
        ("verdict", "status", "code"),
        [
            ("present", "succeeded", exits.DONE),
            ("absent", "failed", exits.FAILED),
            ("unknown", "unknown", exits.WAITS),
            ("running", "unknown", exits.WAITS),
        ],
    )
    def test_verify_decides(self, stage: Stage, verdict: str, status: str, code: int) -> None:
        stage.pool.on("a", sees("absent"), sees(verdict), mode="verify")
        assert stage.drive(plan(step("a", verify=LOOKS))) == code
        assert stage.statuses() == {"a": status}

    def test_what_was_there_before_proves_nothing_after_a_death(self, stage: Stage) -> None:
        stage.pool.on("a", Does(how="dies")).on("a", sees("present"), mode="verify")
        assert stage.drive(plan(step("a", verify=LOOKS))) == exits.WAITS
        assert stage.statuses() == {"a": "unknown"}

    def test_what_was_not_there_before_does(self, stage: Stage) -> None:
        stage.pool.on("a", Does(how="dies"))
        stage.pool.on("a", sees("absent"), sees("present"), mode="verify")
        assert stage.drive(plan(step("a", verify=LOOKS))) == exits.DONE
        assert stage.journal.state().steps["a"].adopted

    def test_a_worker_that_dies_without_effect_is_run_again_twice(self, stage: Stage) -> None:
        stage.pool.on("a", Does(how="dies")).on("a", sees("absent"), mode="verify")
        assert stage.drive(plan(step("a", verify=LOOKS))) == exits.FAILED
        assert stage.pool.acted == ["a", "a", "a"]

    def test_a_worker_that_dies_without_a_probe_is_asked_about(self, stage: Stage) -> None:
        stage.pool.on("a", Does(how="dies"))
        operator = ScriptedOperator()
        assert stage.drive(plan(step("a")), operator) == exits.WAITS
        assert stage.pool.acted == ["a"]
        assert operator.asked[0].asks == "unknown"

    def test_no_worker_no_effect(self, stage: Stage) -> None:
        stage.pool.on("a", Does(how="refuses"))
        assert stage.drive(plan(step("a"))) == exits.FAILED
        last = stage.journal.state().steps["a"].last
        assert last is not None
        assert (last.effect, stage.pool.acted) == ("none", [])

    def test_an_effect_that_runs_on_is_awaited(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("runbook_tui.engine.outcomes.LOOK_AGAIN", 0.01)
        stage.pool.on("a", Does(how="dies")).on(
            "a", sees("absent"), sees("running"), sees("running"), sees("present"), mode="verify"
        )
        assert stage.drive(plan(step("a", verify=LOOKS))) == exits.DONE
        assert stage.pool.acted == ["a"]

    def test_a_look_that_never_answers_is_given_up(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("runbook_tui.engine.looks.LIMIT", 0.05)
        stage.pool.on("a", fails()).on("a", sees("absent"), runs(), mode="verify")
        assert stage.drive(plan(step("a", verify=LOOKS))) == exits.FAILED
        assert stage.pool.stopped == ["a"]

    def test_a_look_whose_directory_was_removed_has_found_out_nothing(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("runbook_tui.engine.looks.LIMIT", 0.05)
        stage.pool.on("a", Does(how="dies")).on("a", sees("absent"), runs(), mode="verify")
        looks = stage.root / "runs" / RUN / "looks"
        stage.pool.after_start = lambda: shutil.rmtree(looks, ignore_errors=True)
        operator = ScriptedOperator()
        assert stage.drive(plan(step("a", verify=LOOKS)), operator) == exits.WAITS
        assert operator.asked[0].asks == "unknown"
        assert "the directory of the look was removed" in str(
            stage.journal.state().steps["a"].reason
        )

    def test_a_worker_that_never_begins_is_void(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("runbook_tui.engine.looks.PATIENCE", 0.05)
        stage.pool.on("a", Does(how="never"), works())
        assert stage.drive(plan(step("a"))) == exits.DONE
        assert [one.status for one in stage.journal.state().steps["a"].attempts] == [
            "void",
            "succeeded",
        ]

    def test_retries_after_a_probe_said_absent(self, stage: Stage) -> None:
        stage.pool.on("a", fails(), works())
        stage.pool.on("a", sees("absent"), sees("absent"), sees("present"), mode="verify")
        made = plan(step("a", verify=LOOKS, retries=Retries(1, 0.01)))
        assert stage.drive(made) == exits.DONE
        assert "retry_planned" in stage.journal.kinds()

    def test_a_time_out_is_judged_by_the_probe_and_tried_again(self, stage: Stage) -> None:
        late = Does(Result("stopped", cause="timeout", reason="Its time was over."))
        stage.pool.on("a", late, works())
        stage.pool.on("a", sees("absent"), sees("absent"), sees("present"), mode="verify")
        made = plan(step("a", verify=LOOKS, timeout=5.0, retries=Retries(1, 0.01, on=("timeout",))))
        assert stage.drive(made) == exits.DONE
        assert stage.pool.acted == ["a", "a"]

    def test_a_time_out_without_a_probe_is_unknown(self, stage: Stage) -> None:
        stage.pool.on("a", Does(Result("failed", cause="timeout", reason="Its time was over.")))
        made = plan(step("a", timeout=5.0, retries=Retries(1, 0.01), on_failure="continue"))
        assert stage.drive(made) == exits.WAITS
        assert stage.statuses() == {"a": "unknown"}


class TestValues:
    def test_a_missing_value_stops_the_step_before_its_intent(self, stage: Stage) -> None:
        made = plan(step("a"), step("b", options={"script": 'rm -rf "${{ steps.a.directory }}/"'}))
        assert stage.drive(made) == exits.FAILED
        stands = stage.journal.state().steps["b"]
        assert stands.attempts == ()
        assert stands.reason == "B cannot begin: ${{ steps.a.directory }} has no value."

    def test_a_value_of_the_wrong_kind_too(self, stage: Stage) -> None:
        wrong = PlanParameter("size", "many", "Size")
        made = plan(step("a", "wait", options={"for": "${{ size }}"}), parameters={"size": wrong})
        assert stage.drive(made) == exits.FAILED
        assert "cannot begin" in str(stage.journal.state().steps["a"].reason)

    def test_secrets_go_to_the_worker_and_nowhere_else(self, stage: Stage) -> None:
        stage.secrets["KEY"] = "hunter22"
        home = environment("prod", secrets={"KEY": SecretSource("KEY", "env", "KEY")})
        act = step(
            "a",
            environment="prod",
            confirm="ask",
            options={"script": "login", "stdin": "${{ secrets.KEY }}"},
        )
        operator = ScriptedOperator({"a": ["yes"]})
        assert stage.drive(plan(act, home=home), operator) == exits.DONE
        job = stage.pool.orders[0].job
        assert job.options["stdin"] == "hunter22"
        assert job.secrets == ("hunter22",)
        told = repr(stage.journal.records) + repr(operator.asked)
        assert "hunter22" not in told

    def test_a_secret_is_read_again_for_another_try(self, stage: Stage) -> None:
        stage.secrets["KEY"] = "hunter22"
        home = environment("prod", secrets={"KEY": SecretSource("KEY", "env", "KEY")})
        options = {"script": "login", "stdin": "${{ secrets.KEY }}"}
        stage.pool.on("a", fails("wrong password"), works())
        operator = ScriptedOperator(person=True)
        operator.when(is_asked, lambda: stage.secrets.update(KEY="hunter33"))
        operator.when(is_asked, Answer("q1", "retry", "person"))
        made = plan(step("a", environment="prod", options=options), home=home)
        assert stage.drive(made, operator) == exits.DONE
        job = stage.pool.orders[-1].job
        assert (job.options["stdin"], job.secrets) == ("hunter33", ("hunter22", "hunter33"))

    def test_a_directory_that_cannot_be_made_stops_the_step(self, stage: Stage) -> None:
        (stage.root / "runs").write_text("in the way")
        assert stage.drive(plan(step("a"))) == exits.FAILED
        assert "cannot be made" in str(stage.journal.state().steps["a"].reason)
        assert stage.pool.orders == []


def test_beyond_the_point_of_no_return_every_failure_says_so(stage: Stage) -> None:
    stage.pool.on("b", fails())
    operator = ScriptedOperator()
    stage.drive(plan(step("a", no_return="values are dropped"), step("b")), operator)
    assert operator.asked[0].shown["no_return"] == "A: values are dropped"


class TestGroups:
    @pytest.mark.parametrize("policy", ["abort", "rollback"])
    def test_fail_fast_stops_the_others_and_goes_on(self, stage: Stage, policy: str) -> None:
        stage.pool.on("a", runs()).on("b", runs())
        made = plan(group("g", step("a", on_failure=policy), step("b"), fail_fast=True), step("c"))
        operator = ScriptedOperator()
        operator.when(live("a", "b"), lambda: stage.pool.finish("a", fails().result))
        code = exits.ABORTED if policy == "abort" else exits.ROLLED_BACK
        operator.answers["rollback"] = ["rollback"]
        assert stage.drive(made, operator) == code
        assert stage.pool.stopped == ["b"]
        assert "c" not in stage.pool.acted

    def test_without_it_the_others_finish_first(self, stage: Stage) -> None:
        stage.pool.on("a", runs()).on("b", runs())
        made = plan(group("g", step("a", on_failure="abort"), step("b")))
        operator = ScriptedOperator()
        operator.when(live("a", "b"), lambda: stage.pool.finish("a", fails().result))
        operator.when(
            lambda state: state.steps["a"].status is StepStatus.FAILED,
            lambda: stage.pool.finish("b"),
        )
        assert stage.drive(made, operator) == exits.ABORTED
        assert stage.pool.stopped == []
        assert stage.statuses()["b"] == "succeeded"

    def test_policy_without_an_answer_lets_the_others_finish(self, stage: Stage) -> None:
        stage.pool.on("a", fails()).on("b", runs())
        operator = ScriptedOperator()
        operator.when(is_asked, lambda: stage.pool.finish("b"))
        assert stage.drive(plan(group("g", step("a"), step("b"))), operator) == exits.FAILED
        assert stage.statuses() == {"g": "running", "a": "failed", "b": "succeeded"}


class TestCommands:
    def test_stop_a_step(self, stage: Stage) -> None:
        stage.pool.on("a", runs())
        operator = ScriptedOperator({"a": [("skip", "stopped it")]})
        operator.when(live("a"), StopStep("a", "wrong host"))
        assert stage.drive(plan(step("a")), operator) == exits.DONE
        stands = stage.journal.state().steps["a"].attempts[0]
        assert (stands.status, stands.stop_reason) == ("stopped", "wrong host")

    def test_stop_waiting_and_wait_again(self, stage: Stage) -> None:
        made = plan(step("a", "wait", options={"for": "1h"}))
        operator = ScriptedOperator({"a": ["retry", ("skip", "long enough")]})

        def waits(state: RunState) -> bool:
            return state.steps["a"].wait_until is not None

        operator.when(waits, StopStep("a", "too long")).when(waits, StopStep("a", "too long"))
        assert stage.drive(made, operator) == exits.DONE
        assert stage.journal.kinds().count("wait_begun") == 2

    def test_a_stop_that_cannot_be_given_is_noted(self, stage: Stage) -> None:
        stage.pool.on("a", runs())
        stage.pool.unreachable = True
        operator = ScriptedOperator().when(live("a"), StopStep("a", "wrong"))
        operator.when(lambda state: bool(state.steps["a"].notes), lambda: stage.pool.finish("a"))
        assert stage.drive(plan(step("a")), operator) == exits.DONE

    def test_leave_and_come_back_to_a_running_step(self, stage: Stage) -> None:
        stage.pool.on("a", runs())
        made = plan(step("a"), step("b"))
        operator = ScriptedOperator().when(live("a"), Leave("quit"))
        assert stage.drive(made, operator) == exits.WAITS
        back = ScriptedOperator().when(live("a"), lambda: stage.pool.finish("a"))
        assert stage.drive(made, back) == exits.DONE
        assert stage.pool.acted == ["a", "b"]

    def test_a_signal_leaves_with_130(self, stage: Stage) -> None:
        stage.pool.on("a", runs())
        operator = ScriptedOperator().when(live("a"), Leave("SIGINT", signal=True))
        assert stage.drive(plan(step("a")), operator) == exits.INTERRUPTED

    def test_abort_stops_what_runs(self, stage: Stage) -> None:
        stage.pool.on("a", runs())
        operator = ScriptedOperator().when(live("a"), Abort("enough"))
        assert stage.drive(plan(step("a"), step("b")), operator) == exits.ABORTED
        assert stage.pool.stopped == ["a"]
        assert stage.statuses()["b"] == "pending"

    def test_hold_and_release(self, stage: Stage) -> None:
        stage.pool.on("a", runs())
        operator = ScriptedOperator()
        operator.when(live("a"), Hold()).when(live("a"), lambda: stage.pool.finish("a"))
        operator.when(lambda state: state.steps["a"].done, AddNote("held", "b"))
        operator.when(lambda state: bool(state.steps["b"].notes), Release())
        assert stage.drive(plan(step("a"), step("b")), operator) == exits.DONE
        kinds = stage.journal.kinds()
        assert kinds.index("note_added") < len(kinds) - 1 - kinds[::-1].index("attempt_intended")


class TestRollback:
    UNDOES = plan(
        step("a", undo=Undo("run", {"script": "undo-a ${{ steps.a.old }} ${{ run.id }}"})),
        step("b", undo=Undo("run", {"script": "undo-b"})),
        step("c"),
        step("d", on_failure="rollback"),
    )

    def test_what_was_done_is_undone_newest_first(self, stage: Stage) -> None:
        stage.pool.on("a", works(outputs={"old": "v1"})).on("d", fails())
        operator = ScriptedOperator({"rollback": ["rollback"]})
        assert stage.drive(self.UNDOES, operator) == exits.ROLLED_BACK
        assert stage.pool.acted == ["a", "b", "c", "d", "undo-b", "undo-a"]
        assert stage.pool.orders[-1].job.variables == {
            "RUNBOOK_V_1": "v1",
            "RUNBOOK_V_2": "1123-k7f3",
        }
        base, linked = stage.journal.state(), stage.journal.state("1123-k7f3-back")
        assert (base.status, linked.status, linked.base) == (
            "rolled_back",
            "succeeded",
            base.run,
        )
        assert stage.statuses() == {"a": "undone", "b": "undone", "c": "succeeded", "d": "failed"}
        assert [one.asks for one in operator.asked] == ["rollback"]

    def test_not_now_leads_back_to_the_failure(self, stage: Stage) -> None:
        stage.pool.on("d", fails(), works())
        operator = ScriptedOperator(person=True)

        def rolling(state: RunState) -> bool:
            return any(one.asks == "rollback" for one in state.questions)

        operator.when(rolling, NotNow("q1")).when(is_asked, Answer("q2", "rollback", "person"))
        operator.when(rolling, NotNow("q3")).when(is_asked, Answer("q4", "retry", "person"))
        assert stage.drive(self.UNDOES, operator) == exits.DONE

    def test_rolling_back_stops_what_runs(self, stage: Stage) -> None:
        stage.pool.on("a", works(outputs={"old": "v1"})).on("b", runs())
        operator = ScriptedOperator({"rollback": ["rollback"]})
        operator.when(live("b"), RollBack("wrong version"))
        assert stage.drive(self.UNDOES, operator) == exits.ROLLED_BACK
        assert stage.pool.stopped == ["b"]
        assert stage.pool.acted[-1] == "undo-a"

    def test_a_protected_rollback_wants_the_name(self, stage: Stage) -> None:
        home = environment("prod", protected=True)
        made = plan(
            step("a", environment="prod", undo=Undo("run", {"script": "u"})),
            step("b", environment="prod", on_failure="rollback"),
            home=home,
        )
        stage.pool.on("b", fails())
        assert stage.drive(made, ScriptedOperator({"start": ["yes"]})) == exits.FAILED
        again = ScriptedOperator({"rollback": ["rollback"]})
        assert stage.drive(made, again) == exits.ROLLED_BACK
        assert again.asked[0].typed == "prod"
