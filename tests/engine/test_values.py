"""What references stand for, and how orders are made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook_tui.actions.api import Host
from runbook_tui.definition import references
from runbook_tui.definition.plan import Plan, PlanHost, PlanParameter, PlanStep, SecretSource
from runbook_tui.definition.substitute import MissingValueError
from runbook_tui.engine import jobs
from runbook_tui.engine.jobs import NotReadyError
from runbook_tui.engine.ports import Order
from runbook_tui.engine.values import MASK, SecretBox, Values
from runbook_tui.secrets import SecretError
from state.run_state import AttemptState
from tests.harness.plans import RUN, Story, environment, plan, step

INERT = "'; rm -rf ~ #"


def read(source: SecretSource) -> str:
    if source.value == "gone":
        raise SecretError(source, "it is not there", "Put it there.")
    return f"secret-{source.name}"


HOME = environment(
    "prod",
    vars={"image": "app", "empty": ""},
    secrets={
        "KEY": SecretSource("KEY", "env", "KEY"),
        "GONE": SecretSource("GONE", "env", "gone"),
    },
    groups={
        "app": (PlanHost("h1", "deploy", "10.0.0.1", 2222), PlanHost("h2", None, "10.0.0.2")),
        "db": (PlanHost("h2", None, "10.0.0.2"),),
    },
)


def planned(*steps: PlanStep) -> Plan:
    return plan(
        step("a", environment="prod"),
        step("b", environment="prod"),
        *steps,
        home=HOME,
        parameters={
            "version": PlanParameter("version", INERT, "Version"),
            "token": PlanParameter("token", "hunter22", "Token", secret=True),
        },
    )


def values(story: Story, **given: Any) -> Values:
    return Values(story.plan, story.state, HOME, SecretBox(read), "dana", **given)


def done() -> Story:
    story = Story(planned())
    story.tried(
        "a",
        outputs={"rev": "42"},
        by_host={"h1": {"old": "v1", "same": "x"}, "h2": {"old": "v2", "same": "x"}},
        exit_code=0,
        verdict="present",
    )
    return story.tried("b", "failed", outputs={"old": "v0"})


H1 = Host("h1", "deploy", "10.0.0.1", 2222)
CASES: list[tuple[str, str | None, dict[str, Any]]] = [
    ("version", INERT, {}),
    ("token", "hunter22", {}),
    ("env.image", "app", {}),
    ("env.nothing", None, {}),
    ("secrets.KEY", "secret-KEY", {}),
    ("secrets.NOTHING", None, {}),
    ("steps.a.rev", "42", {}),
    ("steps.a.same", "x", {}),
    ("steps.a.old.by_host.h2", "v2", {}),
    ("steps.a.old", "v1", {"host": H1}),
    ("steps.a.exit_code", "0", {}),
    ("steps.a.verdict", "present", {}),
    ("steps.a.nothing", None, {}),
    ("steps.b.old", None, {}),
    ("run.id", RUN, {}),
    ("run.date", "2026-11-23", {}),
    ("operator", "dana", {}),
    ("host", None, {}),
    ("host", "h1", {"host": H1}),
    ("host.user", "deploy", {"host": H1}),
    ("host.address", "10.0.0.1", {"host": H1}),
]


@pytest.mark.parametrize(("path", "expected", "given"), CASES)
def test_what_a_reference_stands_for(
    path: str, expected: str | None, given: dict[str, Any]
) -> None:
    ref = references.make(path)
    assert not isinstance(ref, str)
    seen = values(done(), **given)
    assert seen.real(ref) == expected
    secret = path in ("token", "secrets.KEY", "secrets.NOTHING")
    assert seen.shown(ref) == (MASK if secret else expected)


def test_hosts_that_disagree_are_shown() -> None:
    ref = references.make("steps.a.old")
    assert not isinstance(ref, str)
    with pytest.raises(MissingValueError, match=r"differs from host to host \(h1: v1, h2: v2\)"):
        values(done()).real(ref)


def test_what_is_taken_back_sees_what_a_failed_try_gave() -> None:
    ref = references.make("steps.b.old")
    assert not isinstance(ref, str)
    story = done()
    assert values(story, undone=story.state).real(ref) == "v0"


def order(act: PlanStep, **given: Any) -> Order:
    story = Story(planned(act))
    story.tried("a", outputs={"rev": "42"}).tried("b")
    attempt = AttemptState(1, act.action, "d", "m", "b", "")
    return jobs.order(jobs.act_of(act), values(story), Path("/d"), attempt, Path("/"), **given)


def act(action: str = "run", **options: Any) -> PlanStep:
    return step("x", action, options=options, environment="prod")


def test_no_value_becomes_shell_text() -> None:
    made = order(act(script='echo "${{ version }}" "${{ version }}" $${{ x', argv=None))
    assert made.job.options["script"] == 'echo "${RUNBOOK_V_1}" "${RUNBOOK_V_1}" ${{ x'
    assert made.job.variables == {"RUNBOOK_V_1": INERT}
    made = order(act(argv=["echo", "${{ version }}"]))
    assert made.job.options["argv"] == ["echo", INERT]


def test_a_look_binds_its_script_too() -> None:
    made = order(act("check", run='test "${{ steps.a.rev }}" = 42', absent=1))
    assert made.job.options["run"]["script"] == 'test "${RUNBOOK_V_1}" = 42'
    assert made.job.variables == {"RUNBOOK_V_1": "42"}


def test_hosts_are_those_of_the_inventory() -> None:
    made = order(act("ssh", script="true", hosts=["db", "app"]))
    assert made.job.hosts == (Host("h2", None, "10.0.0.2"), H1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"script": 'echo "${{ env.empty }}"'}, "${{ env.empty }} is empty"),
        ({"script": 'echo "${{ env.nothing }}"'}, "${{ env.nothing }} has no value"),
        ({"argv": ["${{ secrets.GONE }}"]}, "GONE cannot be read: it is not there"),
        ({"script": "x", "pty": "${{ token }}"}, "pty: "),
    ],
)
def test_a_step_that_cannot_begin_says_why(options: dict[str, Any], said: str) -> None:
    with pytest.raises(NotReadyError) as refusal:
        order(act(**options))
    assert said in refusal.value.sentence
    assert "hunter22" not in refusal.value.sentence


def test_an_unknown_host_is_named() -> None:
    with pytest.raises(NotReadyError, match="prod has no host or group web"):
        order(act("ssh", script="true", hosts="web"))


def test_secret_files_are_given_by_name() -> None:
    with_files = step("x", environment="prod", secret_files=("KEY",))
    assert order(with_files).job.secret_files == {"KEY": "secret-KEY"}
    assert "secret-KEY" in order(with_files).job.secrets


def test_people_see_options_without_secrets_and_what_is_not_known_as_written() -> None:
    story = Story(planned())
    shown = jobs.shown(
        jobs.act_of(
            act(script="${{ token }} ${{ secrets.KEY }} ${{ env.image }} ${{ steps.a.x }}")
        ),
        values(story),
    )
    assert shown["script"] == f"{MASK} {MASK} app ${{{{ steps.a.x }}}}"


def test_a_secret_that_another_definition_keeps_elsewhere_is_read_there() -> None:
    box = SecretBox(lambda source: f"from {source.value}")
    old, new = SecretSource("T", "env", "OLD"), SecretSource("T", "env", "NEW")
    assert [box.value("e", one) for one in (old, old, new, old)] == [
        *("from OLD", "from OLD", "from NEW", "from OLD")
    ]
    assert list(box.ever) == ["from OLD", "from NEW"]
