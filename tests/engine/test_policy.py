"""Answers given in advance: their grammar, and which question each one answers."""

from __future__ import annotations

import pytest

from runbook_tui.definition.problems import UsageProblem
from runbook_tui.engine.headless import DemoPolicy
from runbook_tui.engine.policy import Policy, parse
from runbook_tui.engine.ports import Answer, NoAnswer
from state.run_state import Question

AFTER = ("retry", "verified", "skip", "rollback", "abort")
BEFORE = ("yes", "skip", "rollback", "abort")


def asked(step: str | None, asks: str, *choices: str, typed: str | None = None) -> Question:
    return Question("q1", step, asks, "What?", choices, typed, {}, "")


def policy(*answers: str, confirms: tuple[str, ...] = (), yes: bool = False) -> Policy:
    return parse(yes=yes, confirms=confirms, answers=answers)


@pytest.mark.parametrize(
    "text", ["a", "=retry", "a=", "a=*3", "a=retry*0", "a=retry*x", "A B=retry", "a=1x"]
)
def test_an_answer_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageProblem, match="is not STEP=CHOICE"):
        policy(text)


@pytest.mark.parametrize("text", ["a", "=x", "a="])
def test_a_confirmation_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageProblem, match="is not STEP=TEXT"):
        policy(confirms=(text,))


def test_each_answer_is_used_once_in_order() -> None:
    said = policy("a=retry*2", "a=skip:not today: really")
    question = asked("a", "failure", *AFTER)
    given = [said.answer(question) for _ in range(3)]
    assert [(one.choice, one.reason) for one in given] == [
        ("retry", None),
        ("retry", None),
        ("skip", "not today: really"),
    ]
    with pytest.raises(NoAnswer):
        said.answer(question)


def test_an_answer_to_a_failure_waits_for_it() -> None:
    said = policy("a=retry", yes=True)
    assert said.answer(asked("a", "confirm", *BEFORE)).choice == "yes"
    assert said.answer(asked("a", "failure", *AFTER)).choice == "retry"


def test_an_answer_before_a_step_goes_before_yes() -> None:
    assert policy("a=skip:no", yes=True).answer(asked("a", "confirm", *BEFORE)).choice == "skip"


def test_yes_never_types() -> None:
    typed = asked("a", "typed", *BEFORE, typed="production")
    with pytest.raises(NoAnswer):
        policy(yes=True).answer(typed)
    given = policy(confirms=("a=production",)).answer(typed)
    assert given == Answer("q1", "yes", "person", fields={"typed": "production"})


@pytest.mark.parametrize(
    ("asks", "choice", "name"), [("start", "yes", "start"), ("rollback", "rollback", "rollback")]
)
def test_start_and_rollback_have_names_of_their_own(asks: str, choice: str, name: str) -> None:
    question = asked(None, asks, choice, typed="production")
    with pytest.raises(NoAnswer):
        policy(yes=True).answer(question)
    said = policy(confirms=(f"{name}=production",)).answer(question)
    assert (said.choice, said.fields) == (choice, {"typed": "production"})
    assert policy().answer(asked(None, asks, choice)).choice == choice


def test_what_a_person_records() -> None:
    said = policy("a.pr=https://x", "a.note=two\nlines", "a=done:looked at it")
    given = said.answer(asked("a", "manual", "done", "skip"))
    assert given.fields == {"pr": "https://x", "note": "two\nlines"}
    assert (given.by, given.reason) == ("person", "looked at it")


def test_the_demo_vouches_for_nothing() -> None:
    question = Question(
        "q1", "a", "manual", "?", ("done", "skip"), None, {"record": {"pr": {}}}, ""
    )
    assert DemoPolicy().answer(question) == Answer(
        "q1", "done", "policy", "demo policy", {"pr": "-"}
    )
    typed = DemoPolicy().answer(asked("a", "typed", *BEFORE, typed="sandbox"))
    assert typed.fields == {"typed": "sandbox"}
    with pytest.raises(NoAnswer):
        DemoPolicy().answer(asked("a", "failure", *AFTER))


def test_an_answer_for_one_host_is_for_no_other() -> None:
    said = policy("a@h1.example.org=retry", "a=skip:rest")
    assert said.answer(asked("a@h2", "failure", *AFTER)).choice == "skip"
    assert said.answer(asked("a@h1.example.org", "failure", *AFTER)).choice == "retry"


def test_an_answer_for_all_hosts_is_used_as_often_as_it_says() -> None:
    said = policy("a=retry*2")
    assert [said.answer(asked(f"a@h{n}", "failure", *AFTER)).choice for n in (1, 2)] == [
        "retry"
    ] * 2
    with pytest.raises(NoAnswer):
        said.answer(asked("a@h3", "failure", *AFTER))


def test_a_host_of_a_step_on_several_stands_for_the_step() -> None:
    assert policy("a@h1=retry").answer(asked("a", "failure", *AFTER)).choice == "retry"


def test_fields_of_a_host_whose_name_may_hold_dots() -> None:
    said = policy("a@h1=done:seen", "a@h1.pr=https://example.org/1", "a@h1.note=12 apples")
    given = said.answer(asked("a@h1", "manual", "done", "skip"))
    assert given.fields == {"pr": "https://example.org/1", "note": "12 apples"}
    said.insist(["a", "a@h1"])


def test_a_name_typed_for_a_step_is_typed_for_each_of_its_hosts() -> None:
    said = policy(confirms=("a=PROD",))
    assert said.answer(asked("a@h1", "typed", *BEFORE, typed="PROD")).fields == {"typed": "PROD"}


@pytest.mark.parametrize(
    ("name", "steps", "known"),
    [
        ("a@h1", ("a", "a@h1"), True),
        ("a@h9", ("a", "a@h1"), False),
        ("a@h9", ("a",), True),
        ("b@h1", ("a", "a@h1"), False),
    ],
)
def test_an_answer_for_a_host_that_there_is_not(
    name: str, steps: tuple[str, ...], known: bool
) -> None:
    said = policy(f"{name}=retry")
    if known:
        said.insist(steps)
        return
    with pytest.raises(UsageProblem, match=f"there is no step {name}"):
        said.insist(steps)
