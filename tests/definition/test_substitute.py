"""Values in options: filled in once, never empty by accident."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_tui.definition.references import Ref
from runbook_tui.definition.substitute import (
    MissingValueError,
    fill,
    fill_text,
    holds_reference,
    rename,
)


def lookup(ref: Ref) -> str | None:
    return {"a": "1", "env.b": "two words", "empty": ""}.get(ref.path)


def test_fills_texts_at_any_depth_and_leaves_keys() -> None:
    value = {"${{ a }}": ["x ${{ a }}${{ env.b }}", 5, None, {"k": "${{ a }}"}]}
    assert fill(value, lookup) == {"${{ a }}": ["x 1two words", 5, None, {"k": "1"}]}


@pytest.mark.parametrize("path", ["missing", "empty"])
def test_empty_and_missing_stop(path: str) -> None:
    with pytest.raises(MissingValueError) as raised:
        fill_text(f"${{{{ {path} }}}}", lookup)
    assert path in raised.value.sentence


@pytest.mark.parametrize(("default", "value"), [("d", "d"), ("", "")])
def test_defaults_stand_for_empty_and_missing(default: str, value: str) -> None:
    assert (
        fill_text(f'${{{{ missing | "{default}" }}}}${{{{ empty | "{default}" }}}}', lookup)
        == value * 2
    )


def test_literal() -> None:
    assert fill_text("$${{ a }} ${{ a }}", lookup) == "${{ a }} 1"
    assert fill_text("$${{ a }}", lookup) == "${{ a }}"


@given(st.text())
def test_values_are_not_read_again(value: str) -> None:
    wanted = value or "default"
    assert fill_text('<${{ a | "default" }}>', lambda ref: value) == f"<{wanted}>"


def test_rename_changes_parameters_only() -> None:
    text = '${{ a | "x" }} ${{ env.a }} $${{ a }} ${{ b }}'
    assert rename({"k": [text]}, {"a": "a-of-run"}) == {
        "k": ['${{ a-of-run | "x" }} ${{ env.a }} $${{ a }} ${{ b }}']
    }


def test_holds_reference() -> None:
    assert holds_reference({"a": ["x", "${{ b }}"]})
    assert not holds_reference({"a": ["$${{ b }}", 1]})
