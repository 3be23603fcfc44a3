"""Conditions: what they hold, and what they come to."""

from __future__ import annotations

import pytest

from runbook_tui.definition.plan import Condition, When
from runbook_tui.definition.references import Ref
from runbook_tui.definition.when import ConditionTextError, Facts, decide
from tests.definition.builders import planned

_HEAD = "parameters: {a: {default: x}, b: {default: y}}\n"


def of(text: str) -> When:
    steps = f"""
    - {{id: m, manual: {{text: Look, choices: {{go: Go, stay: Stay}}}}}}
    - id: s
      run: echo
      when: {text}
    """
    (when,) = planned(steps, _HEAD).step("s").when
    return when


@pytest.mark.parametrize(
    ("text", "conditions", "any_"),
    [
        ("${{ a }}", [Condition(value="a", truth=True)], False),
        ('${{ a | "no" }}', [Condition(value="a", default="no", truth=True)], False),
        ('{value: "${{ a }}", is: 1.10}', [Condition(value="a", is_="1.10")], False),
        ('{value: "${{ a }}", not: b}', [Condition(value="a", not_="b")], False),
        (
            '{value: "${{ a }}", in: [b, on, 5]}',
            [Condition(value="a", in_=("b", "on", "5"))],
            False,
        ),
        ('{value: "${{ a }}", set: false}', [Condition(value="a", set_=False)], False),
        ("{step: m, chose: go}", [Condition(step="m", chose="go")], False),
        ("{step: m, status: skipped}", [Condition(step="m", status="skipped")], False),
        (
            '["${{ a }}", "${{ b }}"]',
            [Condition(value="a", truth=True), Condition(value="b", truth=True)],
            False,
        ),
        ("{any: [{step: m, chose: go}]}", [Condition(step="m", chose="go")], True),
    ],
)
def test_forms(text: str, conditions: list[Condition], any_: bool) -> None:
    assert of(text) == When(tuple(conditions), any_)


_VALUES = {"a": "x", "yes": "Yes", "off": "off", "empty": "", "steps.m.choice": "go"}


def value(ref: Ref) -> str | None:
    return _VALUES.get(ref.path)


def facts(step: str) -> Facts | None:
    return {"m": Facts("succeeded", "go"), "t": Facts("skipped")}.get(step)


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        (Condition(value="yes", truth=True), True),
        (Condition(value="off", truth=True), False),
        (Condition(value="empty", truth=True), False),
        (Condition(value="gone", truth=True), False),
        (Condition(value="gone", default="1", truth=True), True),
        (Condition(value="empty", default="on", truth=True), True),
        (Condition(value="a", is_="x"), True),
        (Condition(value="a", is_="X"), False),
        (Condition(value="a", not_="x"), False),
        (Condition(value="gone", not_="x"), False),
        (Condition(value="a", in_=("w", "x")), True),
        (Condition(value="gone", in_=("",)), False),
        (Condition(value="a", set_=True), True),
        (Condition(value="empty", set_=True), False),
        (Condition(value="gone", set_=False), True),
        (Condition(step="m", chose="go"), True),
        (Condition(step="m", chose="stay"), False),
        (Condition(step="t", status="skipped"), True),
        (Condition(step="gone", status="skipped"), False),
    ],
)
def test_each_condition(condition: Condition, result: bool) -> None:
    assert decide([When((condition,))], value, facts).result is result


def test_levels_are_anded_and_values_kept() -> None:
    yes, no = Condition(value="yes", truth=True), Condition(value="off", truth=True)
    assert decide([], value, facts).result
    assert decide([When((no, yes), any=True), When((yes,))], value, facts).result
    assert not decide([When((yes,)), When((yes, no))], value, facts).result
    decision = decide([When((yes, Condition(step="m", chose="go")))], value, facts)
    assert decision.values == {"yes": "Yes", "steps.m.choice": "go"}


def test_other_text_is_an_error() -> None:
    with pytest.raises(ConditionTextError, match='a is "x"'):
        decide([When((Condition(value="a", truth=True),))], value, facts)
