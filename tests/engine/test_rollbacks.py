"""What a rollback's confirmation shows."""

from __future__ import annotations

from pathlib import Path

from runbook_tui import exits
from runbook_tui.definition.plan import PlanHost, PlanParameter, Undo
from tests.harness.plans import environment, plan, step
from tests.harness.stage import RUN, ScriptedOperator, Stage, fails, works


def test_the_way_back_is_shown_with_the_runs_values_and_no_secret(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.pool.on("ship", works(outputs={"previous": "v1.3.2"})).on("after", fails())
    back = Undo("run", {"script": "ship ${{ steps.ship.previous }} with ${{ key }}"})
    made = plan(
        step("ship", undo=back),
        step("look", "check", options={"run": "true"}),
        step("kept"),
        step("after"),
        parameters={"key": PlanParameter("key", "hunter22", "Key", secret=True)},
    )
    operator = ScriptedOperator({"after": ["rollback"], "rollback": ["rollback"]})
    stage.drive(made, operator)
    shown = next(asked.shown for asked in operator.asked if asked.asks == "rollback")
    assert shown["undone"] == [["ship", "Runs ship v1.3.2 with •••"]]
    assert shown["stays"] == [["kept", "Kept"]]
    assert shown["cannot"] == [["after", "nobody knows whether it took effect"]]
    stage.pool.close()


def test_a_first_deployment_has_nothing_to_go_back_to_and_the_confirmation_says_so(
    tmp_path: Path,
) -> None:
    stage = Stage(tmp_path)
    stage.pool.on("after", fails(effect="none"))
    back = Undo("run", {"script": "ship ${{ steps.ship.previous }}"})
    made = plan(step("first", undo=Undo("run", {"script": "u"})), step("ship", undo=back))
    made = plan(*made.steps(), step("after"))
    operator = ScriptedOperator({"after": ["rollback"], "rollback": ["rollback"]})
    assert stage.drive(made, operator) == exits.ROLLED_BACK
    shown = next(asked.shown for asked in operator.asked if asked.asks == "rollback")
    assert shown["undone"] == [["first", "Runs u"]]
    words = "its undo needs steps.ship.previous, and it gave none: take it back by hand"
    assert shown["cannot"] == [["ship", words]]
    assert stage.pool.acted == ["first", "ship", "after", "undo-first"]
    assert stage.statuses()["ship"] == "succeeded"
    stage.pool.close()


_BACK = Undo(
    "deploy",
    {
        "hosts": "app",
        "docker": {
            "image": '${{ steps.ship.previous | "" }}',
            "takes_back": "${{ run.id }}",
            "service": "hub",
            "ports": "8081-8082",
        },
    },
)


def _first_deployment(stage: Stage, operator: ScriptedOperator) -> None:
    stage.pool.on("ship", works(outputs={"container": "hub-8081"}))
    stage.pool.on("after", fails(effect="none"))
    hosts = tuple(PlanHost(name, None, name) for name in ("app-1", "app-2"))
    home = environment("live", groups={"app": hosts})
    ship = step("ship", undo=_BACK, environment="live")
    made = plan(ship, step("after", environment="live"), home=home)
    assert stage.drive(made, operator) == exits.ROLLED_BACK
    stage.pool.close()


def test_what_a_first_deployment_put_there_is_named_asked_about_and_removed(
    tmp_path: Path,
) -> None:
    stage = Stage(tmp_path)
    operator = ScriptedOperator(
        {"after": ["rollback"], "rollback": ["rollback"], "undo-ship": ["yes"]}
    )
    _first_deployment(stage, operator)
    shown = {asked.asks: asked.shown for asked in operator.asked}
    words = (
        f"hub from app-1, app-2, where it was not before run {RUN}; "
        "an image that it replaced comes back"
    )
    assert shown["rollback"]["undone"] == [["ship", f"Removes {words}"]]
    rows = shown["confirm"]["rows"]
    assert isinstance(rows, list)
    assert rows[0] == ["Removes", words]
    texts = {asked.asks: asked.text for asked in operator.asked}
    assert texts["confirm"] == "Undo: Ship in live?"
    assert stage.pool.acted == ["ship", "after", "undo-ship"]


def test_what_a_first_deployment_put_there_may_be_left(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    operator = ScriptedOperator(
        {
            "after": ["rollback"],
            "rollback": ["rollback"],
            "undo-ship": [("skip", "wanted for a look")],
        }
    )
    _first_deployment(stage, operator)
    assert stage.pool.acted == ["ship", "after"]
    assert stage.statuses()["ship"] == "succeeded"
