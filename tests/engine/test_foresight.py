"""A plan looked at: what it would do, what is there, and which looks others depend on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runbook_tui.definition.plan import Condition, Plan, PlanParameter, SecretSource, Verify, When
from runbook_tui.engine.foresight import Foreseen, foresee
from runbook_tui.engine.repository import Checkout
from runbook_tui.engine.workers import Workers
from tests.harness.plans import environment, manual, plan, step
from tests.harness.stage import Does, Stage, sees

LOOKS = Verify("run", {"run": "true"})
PUSH = {"image": "${{ steps.build.image }}"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "state")
    yield stage
    stage.pool.close()


def seen(stage: Stage, made: Plan) -> dict[str, Foreseen]:
    """Return what is foreseen of each step, and insist that nothing was done."""
    found = foresee(made, Checkout(stage.root), stage.place)
    assert stage.pool.acted == []
    assert stage.journal.records == {}
    assert [one.step for one in found] == list(made.steps())
    return {one.step.id: one for one in found}


def test_what_each_step_will_do(stage: Stage) -> None:
    stage.pool.on("there", sees("present", "it is there"), mode="verify")
    stage.pool.on("half", sees("partial", "1 of 2", detail={"found": ["a"]}), mode="probe")
    sql = {"database": "postgresql://db.test/x", "directory": "m"}
    no = (When((Condition(value="version", is_="v2"),)),)
    later = (When((Condition(step="there", status="failed"),)),)
    made = plan(
        step("there", verify=LOOKS, confirm="typed"),
        step("script", options={"script": "echo ${{ version }} ${{ key }}"}),
        step("half", "migrate", options=sql),
        step("asked", "announce", options={"text": "x", "webhook": "http://a"}, confirm="ask"),
        step("reads", "check", options={"run": "true"}),
        step("out", when=no, confirm="ask"),
        step("maybe", when=later),
        manual("item"),
        parameters={
            "version": PlanParameter("version", "v1.4.0", "Version"),
            "key": PlanParameter("key", "hunter22", "Key", secret=True),
        },
    )
    found = seen(stage, made)
    assert {id_: one.will for id_, one in found.items()} == {
        "there": "is there",
        "script": "will run",
        "half": "will change",
        "asked": "you confirm",
        "reads": "only reads",
        "out": "left out",
        "maybe": "will run",
        "item": "you do it",
    }
    assert [id_ for id_, one in found.items() if one.asks] == ["there", "asked", "item"]
    assert found["there"].in_short == "it is there"
    assert found["half"].details[-2:] == ("Looked      partly there: 1 of 2", "There       a")
    assert found["script"].in_short == "echo v1.4.0 •••"
    assert (found["out"].met, found["maybe"].met) == (False, None)
    assert "hunter22" not in repr([one.details for one in found.values()])


def test_a_later_step_sees_what_an_earlier_look_found(stage: Stage) -> None:
    """The image that is there gives its name to the push; without it the push is not looked at."""
    build = step("build", "build", options={"image": "hub.test/app:v1"})
    ship = step("ship", options={"script": "ship ${{ steps.push.digest }}"})
    made = plan(build, step("push", "push", options=PUSH), ship)
    unknown = seen(stage, made)["push"]
    assert unknown.summary == "known after Build"
    assert unknown.in_short == "hub.test/app:v1"
    assert seen(stage, made)["ship"].in_short == "ship (digest of Push)"
    assert {order.job.step for order in stage.pool.orders} == {"build"}

    there = sees("present", "it is there", outputs={"image": "hub.test/app:v1"})
    stage.pool.on("build", there, mode="probe")
    stage.pool.on("push", sees("absent", "the registry has none"), mode="probe")
    found = seen(stage, made)
    assert (found["push"].verdict, found["push"].summary) == ("absent", "the registry has none")
    assert stage.pool.orders[-1].job.options["image"] == "hub.test/app:v1"


def test_what_cannot_be_looked_at_says_why(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typed secret, a dead look and a slow one: none of them holds the others."""
    monkeypatch.setattr("runbook_tui.engine.foresight.LOOK_WITHIN", 0.0)
    stage.pool.on("dead", Does(how="dies"), mode="verify")
    stage.pool.on("slow", Does(how="later"), mode="verify")
    sql = {"database": "${{ secrets.DB }}", "directory": "m"}
    made = plan(
        step("typed", "migrate", options=sql),
        step("dead", verify=LOOKS),
        step("slow", verify=LOOKS),
        home=environment("", secrets={"DB": SecretSource("DB", "prompt", "DB")}),
    )
    found = seen(stage, made)
    assert found["typed"].summary.startswith("not looked at: the secret DB cannot be read")
    assert found["slow"].summary == "the look did not answer in time"
    assert (found["dead"].verdict, found["slow"].verdict) == ("unknown", "unknown")
    assert stage.pool.stopped == ["slow"]
    assert not stage.pool.live


def test_a_real_look_waits_for_nothing(stage: Stage, pool: Workers, tmp_path: Path) -> None:
    """`until` is for the run: here one look is enough."""
    waits = Verify("run", {"run": "test -e made", "absent": 1, "until": {"for": "1h"}})
    made = plan(step("a", verify=waits), step("b", verify=replace(LOOKS)))
    found = foresee(made, Checkout(tmp_path), replace(stage.place, pool=pool))
    assert [one.verdict for one in found] == ["absent", "present"]
    assert not (tmp_path / "made").exists()
