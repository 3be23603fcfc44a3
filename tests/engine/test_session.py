"""Starting, resuming and rolling back: locks, definitions, what is refused."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui import exits
from runbook_tui.definition.problems import UsageProblem
from runbook_tui.engine import session
from runbook_tui.engine.driving import Session
from runbook_tui.engine.environments_in_use import InUse
from runbook_tui.engine.ports import Leave
from state.run_state import RunState
from tests.harness.stage import Does, ScriptedOperator, Stage, fails, runs, works

RUNBOOK = """\
runbook: Deploy
version: 1
environments:
  defaults: {vars: {image: app}}
  staging: {}
  production: {lock: prod}
  audit: {protected: true}
parameters:
  version: {prompt: Version}
rollback: {file: back.yaml, with: {to: "${{ steps.a.old }}"}}
phases:
  - phase: All
    steps:
      - id: a
        run: {script: './a "${{ version }}"', outputs: [old]}
        undo: {run: "./undo"}
      - {id: b, run: ./b, in: staging}
"""
BACK = """\
runbook: Back
version: 1
environments: {staging: {}, production: {}, audit: {}}
parameters: {to: {prompt: To}}
phases:
  - phase: Back
    steps:
      - {id: redeploy, run: './redeploy "${{ to }}"'}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    (tmp_path / "state").mkdir()
    (tmp_path / "deploy.yaml").write_text(RUNBOOK)
    (tmp_path / "back.yaml").write_text(BACK)
    stage = Stage(tmp_path / "state")
    yield stage
    stage.pool.close()


WITH_SECRET = RUNBOOK.replace("phases:", "  token: {secret: true}\nphases:").replace(
    "outputs: [old]", 'stdin: "${{ token }}"'
)
WITH_SECRET = WITH_SECRET.replace(
    'rollback: {file: back.yaml, with: {to: "${{ steps.a.old }}"}}\n', ""
)


def started(stage: Stage, environment: str = "production", **given: str) -> Session:
    file = stage.root.parent / "deploy.yaml"
    values = {"version": "v1", **given}
    made = session.prepare(file, environment, values, directory=file.parent)
    return session.start(made, stage.place)


def attempted(state: RunState) -> bool:
    return bool(state.steps["a"].attempts)


def left_running(stage: Stage, operator: ScriptedOperator | None = None) -> str:
    """Leave a run while its first step runs, and return its id."""
    stage.pool.on("a", runs())
    with started(stage) as driven:
        driven.drive((operator or ScriptedOperator()).when(attempted, Leave("quit")))
        return driven.run


def test_a_run_records_what_it_began_with(stage: Stage) -> None:
    folder = stage.root.parent
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "x")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    (folder / "deploy.yaml").write_text(RUNBOOK + "# changed\n")
    with started(stage) as driven:
        assert driven.drive(ScriptedOperator()) == exits.DONE
    state = stage.journal.state(driven.run)
    begun = state.started
    assert (begun.locks, begun.cwd, begun.dirty) == (("prod", "staging"), str(folder), True)
    assert begun.commit is not None
    assert stage.journal.files[driven.run]["deploy.yaml"].endswith(b"# changed\n")


def test_a_secret_parameter_is_not_kept_and_given_again(stage: Stage) -> None:
    (stage.root.parent / "deploy.yaml").write_text(WITH_SECRET)
    with started(stage, token="hunter22") as driven:
        driven.drive(ScriptedOperator().when(attempted, Leave("quit")))
    run = driven.run
    assert stage.journal.state(run).started.parameters == {"version": "v1", "token": "•••"}
    assert "hunter22" not in repr(stage.journal.records)
    with pytest.raises(UsageProblem, match='"token" is missing'):
        session.resume(run, stage.place)
    with session.resume(run, stage.place, {"token": "hunter22"}) as driven:
        assert driven.drive(ScriptedOperator()) == exits.DONE
    assert {one.job.secrets for one in stage.pool.orders} == {("hunter22",)}


def test_an_environment_that_is_driven_is_refused(stage: Stage) -> None:
    with started(stage) as driven, pytest.raises(InUse) as refusal:
        started(stage)
    assert refusal.value.sentence.startswith("The environment prod is in use: dana@")
    assert f"drives run {driven.run} there since" in refusal.value.sentence


def test_environments_that_have_nothing_in_common_are_free(stage: Stage) -> None:
    other = stage.root.parent / "other.yaml"
    other.write_text(RUNBOOK.replace(", in: staging", ""))
    with started(stage):
        made = session.prepare(other, "audit", {"version": "v1"})
        with session.start(made, stage.place) as second:
            assert second.run in stage.journal.records


def test_an_unresolved_attempt_keeps_others_out(stage: Stage) -> None:
    run = left_running(stage)
    for _ in range(2):  # being refused must not make it forgotten
        with pytest.raises(InUse) as refusal:
            started(stage)
        assert refusal.value.advice == f"Take it up first: runbook resume {run}"
    stage.pool.finish("a")
    with session.resume(run, stage.place) as driven:
        assert driven.drive(ScriptedOperator()) == exits.DONE
    stage.pool.script.clear()
    with started(stage) as driven:
        assert driven.drive(ScriptedOperator()) == exits.DONE


def test_a_run_is_driven_once(stage: Stage) -> None:
    run = left_running(stage)
    with session.resume(run, stage.place), pytest.raises(InUse):
        session.resume(run, stage.place)


def test_a_changed_file_is_noted_and_the_first_one_counts(stage: Stage) -> None:
    run = left_running(stage)
    (stage.root.parent / "deploy.yaml").write_text(RUNBOOK.replace("./b", "./changed"))
    stage.pool.finish("a")
    with session.resume(run, stage.place) as driven:
        assert driven.drive(ScriptedOperator()) == exits.DONE
    assert stage.journal.state(run).changed == ("b",)
    assert stage.pool.orders[-1].job.options["script"] == "./b"


@pytest.mark.parametrize("now", [RUNBOOK + "# a remark\n", "runbook: [", None])
def test_a_change_in_no_step_is_named_by_its_file(stage: Stage, now: str | None) -> None:
    run = left_running(stage)
    file = stage.root.parent / "deploy.yaml"
    if now is None:
        file.unlink()
    else:
        file.write_text(now)
    with session.resume(run, stage.place):
        assert stage.journal.state(run).changed == ("deploy.yaml",)


def test_a_token_rises_with_every_driver(stage: Stage) -> None:
    run = left_running(stage)
    with session.resume(run, stage.place):
        assert stage.journal.records[run][-1].token > stage.journal.records[run][0].token


@pytest.mark.parametrize(
    ("run", "said"), [("0000-none", "There is no run"), ("done", "is over: succeeded")]
)
def test_what_cannot_be_resumed(stage: Stage, run: str, said: str) -> None:
    if run == "done":
        with started(stage) as driven:
            driven.drive(ScriptedOperator())
        run = driven.run
    with pytest.raises(UsageProblem, match=said):
        session.resume(run, stage.place)


def test_an_approval_is_refused_where_nobody_can_vouch_for_it(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "later.yaml"
    file.write_text(
        "runbook: Later\nversion: 1\nphases:\n  - phase: All\n    steps:\n"
        "      - {id: a, run: ./a, confirm: approval}\n"
    )
    prepared = session.prepare(file, None, {})
    with pytest.raises(UsageProblem, match="another operator's approval"):
        session.start(prepared, stage.place)


class TestRollback:
    def test_a_run_that_succeeded(self, stage: Stage) -> None:
        stage.pool.on("a", works(outputs={"old": "v0"}))
        with started(stage) as driven:
            driven.drive(ScriptedOperator())
        run = driven.run
        operator = ScriptedOperator({"rollback": ["rollback"]})
        with session.rollback(run, stage.place, reason="wrong version") as driven:
            assert driven.drive(operator) == exits.ROLLED_BACK
            assert list(driven.plans) == [run, f"{run}-back"]
        assert stage.pool.acted == ["a", "b", "undo-a", "redeploy"]
        assert stage.pool.orders[-1].job.variables == {"RUNBOOK_V_1": "v0"}
        assert stage.journal.state(run).status == "rolled_back"
        with pytest.raises(UsageProblem, match="is rolled back already"):
            session.rollback(run, stage.place)
        with pytest.raises(UsageProblem, match="is a rollback itself"):
            session.rollback(f"{run}-back", stage.place)

    def test_a_run_that_failed_and_was_left(self, stage: Stage) -> None:
        stage.pool.on("a", works(outputs={"old": "v0"})).on("b", fails())
        with started(stage) as driven:
            assert driven.drive(ScriptedOperator()) == exits.FAILED
        operator = ScriptedOperator({"rollback": ["rollback"]})
        with session.rollback(driven.run, stage.place) as driven:
            assert driven.drive(operator) == exits.ROLLED_BACK
        assert [one.asks for one in operator.asked] == ["rollback"]

    def test_a_rollback_that_fails_is_taken_up_by_either_name(self, stage: Stage) -> None:
        stage.pool.on("a", works(outputs={"old": "v0"})).on("undo-a", fails(), fails(), works())
        with started(stage) as driven:
            driven.drive(ScriptedOperator())
        run = driven.run
        with session.rollback(run, stage.place) as driven:
            code = driven.drive(ScriptedOperator({"rollback": ["rollback"]}))
        assert (code, stage.journal.state(run).status) == (exits.FAILED, "succeeded")
        for name in (run, f"{run}-back"):
            with session.resume(name, stage.place) as driven:
                code = driven.drive(ScriptedOperator({"undo-a": ["retry"]}))
        assert code == exits.ROLLED_BACK
        assert stage.journal.state(run).status == "rolled_back"

    def test_one_that_cannot_be_planned_says_so(self, stage: Stage) -> None:
        stage.pool.on("b", fails(), works())
        operator = ScriptedOperator({"b": ["rollback", "retry"]})
        with started(stage) as driven:
            assert driven.drive(operator) == exits.DONE
        assert 'needs "to"' in str(operator.asked[1].shown["note"])

    @pytest.mark.parametrize("at", range(1, 16))
    def test_wherever_the_driver_dies_each_undo_happens_once(self, stage: Stage, at: int) -> None:
        stage.pool.on("a", works(outputs={"old": "v0"})).on("b", fails())
        with started(stage) as driven:
            driven.drive(ScriptedOperator())
        run, passed = driven.run, [0]

        def reach() -> None:
            passed[0] += 1
            if passed[0] == at:
                raise KeyboardInterrupt

        stage.journal.before_append = lambda payloads: reach()
        stage.journal.after_append = stage.pool.before_start = stage.pool.after_start = reach
        operator = ScriptedOperator({"rollback": ["rollback"] * 3})
        code = None
        while code is None:
            try:
                with session.rollback(run, stage.place) as driven:
                    code = driven.drive(operator)
            except KeyboardInterrupt:
                continue
            except UsageProblem:
                code = exits.ROLLED_BACK
        assert code == exits.ROLLED_BACK
        assert stage.pool.acted == ["a", "b", "undo-a", "redeploy"]
        assert stage.journal.state(run).status == "rolled_back"
        assert set(stage.journal.records) == {run, f"{run}-back"}


def test_a_dead_step_of_another_run_is_unresolved_too(stage: Stage) -> None:
    stage.pool.on("a", Does(how="never"))
    with started(stage) as driven:
        driven.drive(ScriptedOperator().when(attempted, Leave("quit")))
    with pytest.raises(InUse, match="whose outcome is not known"):
        started(stage)
