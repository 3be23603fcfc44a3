"""The JSON Schema: valid, current, and of one mind with the loader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runbook_tui.definition import schema
from runbook_tui.definition.compose import read
from runbook_tui.definition.planning import plain
from tests.definition.builders import runbook

_GOOD = sorted((Path(__file__).parent / "good").glob("*.yaml"))


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(schema.schema())


def tree(text: str) -> Any:
    return plain(read("f.yaml", text.encode())[0])


def test_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema.schema())


def test_the_one_checked_in_is_current() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), (
        "run: runbook schema > runbooks/runbook.schema.json"
    )


@pytest.mark.parametrize("path", _GOOD, ids=lambda path: path.name)
def test_good_files_are_valid(validator: Draft202012Validator, path: Path) -> None:
    found = tree(path.read_text(encoding="utf-8"))
    if "runbook" in found:
        assert [error.message for error in validator.iter_errors(found)] == []


@pytest.mark.parametrize(
    "steps",
    [
        "- {run: echo, tiemout: 5s}",
        "- {id: a}",
        "- {run: echo, wait: 5s}",
        "- {run: {scirpt: echo}}",
        "- {run: [echo]}",
        "- {run: echo, timeout: 10}",
        "- {run: echo, confirm: typd}",
        "- {run: echo, retries: {times: two}}",
        "- {parallel: []}",
        "- {each: {item: [a]}}",
        "- {run: echo, undo: {rnu: x}}",
        "- {run: echo, when: {value: x}}",
        "- {run: echo, verify: {tag: v1}}",
    ],
)
def test_mistakes_are_invalid(validator: Draft202012Validator, steps: str) -> None:
    assert not validator.is_valid(tree(runbook(steps)))


def test_references_stand_for_values_of_options(validator: Draft202012Validator) -> None:
    steps = '- monitor: {for: "${{ t }}", requests: "${{ n }}", hosts: app}'
    assert validator.is_valid(tree(runbook(steps)))
