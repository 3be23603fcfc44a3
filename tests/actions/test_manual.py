"""`manual` and `wait`: what the driver asks and keeps is checked beforehand."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from runbook_tui.actions import registry
from runbook_tui.actions.manual.spec import ANSWERS, choices


def test_choices_are_written_out_in_order() -> None:
    given = {"a": "First", "b": {"label": "Second", "then": "end", "reason": "required"}}
    found = choices({"text": "x", "choices": given})
    assert [(name, each.label, each.then, each.reason) for name, each in found.items()] == [
        ("a", "First", "next", "none"),
        ("b", "Second", "end", "required"),
    ]
    assert list(choices({"text": "x"})) == ["done"]


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_an_answer_to_a_failure_is_no_choice(name: str) -> None:
    with pytest.raises(ValidationError, match="is an answer to a failure"):
        registry.spec("manual").options.model_validate({"text": "x", "choices": {name: "X"}})


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("manual", {"text": ""}, "at least 1 character"),
        ("manual", {"text": "x", "record": {"choice": {"prompt": "p"}}}, "cannot name a record"),
        ("manual", {"text": "x", "record": {"a": {"prompt": "p", "pattern": "["}}}, "no regular"),
        ("wait", {"for": "5"}, "is no duration"),
        ("wait", {"for": 5}, "valid string"),
        ("wait", {}, "Field required"),
    ],
)
def test_options_that_are_refused(kind: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        registry.spec(kind).options.model_validate(options)


def test_what_they_hand_on() -> None:
    manual = registry.spec("manual")
    assert manual.outputs({"text": "x", "record": {"pr": {"prompt": "p"}}}) == ("choice", "pr")
    assert registry.spec("wait").describe({"for": "1m", "since": "a"})[0].text == "1m since a ended"
