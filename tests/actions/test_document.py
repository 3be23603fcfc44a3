"""The page of the actions is current, and what it shows is a runbook that lints clean."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from runbook_tui.actions import document, registry
from runbook_tui.definition.loader import lint_paths

ENVIRONMENT = {
    "hosts": {"app": ["deploy@app-1", "deploy@app-2"], "db": ["dba@db-1"]},
    "secrets": {"REGISTRY_TOKEN": {"env": "REGISTRY_TOKEN"}},
}
PUSH = {"id": "push", "push": {"image": "registry.example.org/practice-hub:v1.4.0"}}
SOAK = {"id": "soak", "check": {"run": "true"}, "background": True}
DEPLOY = {"id": "deploy", "run": "true", "verify": {"run": "true"}}


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    yield from document._nested(model)


def test_the_page_is_current(repository: Path) -> None:
    written = (repository / "docs" / "actions.md").read_text(encoding="utf-8")
    assert written == document.text(), "run python -m runbook_tui.actions.document docs/actions.md"


@pytest.mark.parametrize("kind", registry.BUILT_IN)
def test_every_option_is_described(kind: str) -> None:
    for model in models(registry.spec(kind).options):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            assert field.description[-1] in ".:", f"{model.__name__}.{name}: no full stop"


@pytest.mark.parametrize("kind", registry.BUILT_IN)
def test_an_example_is_part_of_a_runbook(kind: str, tmp_path: Path) -> None:
    known: dict[str, list[Any]] = {"deploy": [PUSH], "wait": [DEPLOY], "join": [SOAK]}
    before = known.get(kind, [])
    head = {
        "runbook": "Example",
        "version": 1,
        "rollback": "back.yaml",
        "environments": {"sandbox": ENVIRONMENT},
    }
    steps = [*(yaml.safe_dump([each]) for each in before), f"- {registry.spec(kind).example}"]
    first, *rest = steps[-1].splitlines()
    steps[-1] = "\n".join([first, *(f"  {line}" for line in rest)])
    phases = "phases:\n- phase: All\n  steps:\n" + indent("\n".join(steps), "  ")
    (tmp_path / "example.yaml").write_text(yaml.safe_dump(head, sort_keys=False) + phases)
    back = {"runbook": "Back", "version": 1, "phases": [{"phase": "All", "steps": [DEPLOY]}]}
    (tmp_path / "back.yaml").write_text(yaml.safe_dump(back, sort_keys=False))
    assert [problem.show() for problem in lint_paths([tmp_path])] == []


@pytest.mark.parametrize("kind", registry.BUILT_IN)
def test_a_step_is_told_of_in_words_before_and_after_it_is_checked(kind: str) -> None:
    spec = registry.spec(kind)
    options = document.step_of(spec)[kind]
    raw = options if isinstance(options, dict) else {spec.shorthand or "": options}
    filled = spec.options.model_validate(raw).model_dump(mode="json")
    for given in (raw, filled):
        assert all(row.text.strip() for row in spec.describe(given)[:1])
        assert all(line.startswith("would ") for line in spec.simulate(given))
        assert spec.simulate(given)
    assert spec.outputs(raw) == spec.outputs(filled)
    assert [reach.target for reach in spec.reaches(raw)] == [
        reach.target for reach in spec.reaches(filled)
    ]
    assert spec.options.model_validate(filled).model_dump(mode="json") == filled
