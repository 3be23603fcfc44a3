"""A changed definition taken on for what has not begun: what stays, and what cannot be done."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook_tui.definition.adopt import CannotAdoptError, adopt
from runbook_tui.definition.plan import Plan
from tests.definition.builders import planned

_HEAD = "environments: {e: {vars: {v: old}}, f: {vars: {v: old}}}\nparameters: {p: {default: x}}\n"


def plan(steps: str, head: str = _HEAD, **others: str) -> Plan:
    return planned(steps, head, "e", None, **others)


def scripts(made: Plan) -> dict[str, str]:
    return {step.id: str(step.options.get("script")) for step in made.steps()}


def test_what_has_begun_keeps_its_definition_and_its_environment() -> None:
    echoes = "run: 'echo \"${{ env.v }}\"'"
    old = plan(f"- {{id: a, {echoes}}}\n- {{id: b, run: echo}}\n- {{id: c, run: echo, in: f}}")
    new = plan(
        f"- {{id: a, run: echo other}}\n- {{id: n, run: echo n}}\n- {{id: b, {echoes}}}",
        _HEAD.replace("e: {vars: {v: old}}", "e: {vars: {v: new}}"),
    )
    made = adopt(old, new, {"a"}, 1)
    assert [step.id for step in made.steps()] == ["a", "n", "b"]
    values = {
        step.id: (step.options["script"], made.environments[step.environment].vars["v"])
        for step in made.steps()
    }
    assert values == {
        "a": ('echo "${{ env.v }}"', "old"),
        "n": ("echo n", "new"),
        "b": ('echo "${{ env.v }}"', "new"),
    }
    assert {one.name for one in made.environments.values()} == {"e"}
    # Another change: the environment of the start, that of the first change and the newest one.
    newest = plan(
        "- {id: a, run: echo}\n- {id: n, run: echo m}\n- {id: b, run: echo}",
        _HEAD.replace("e: {vars: {v: old}}", "e: {vars: {v: newest}}"),
    )
    again = adopt(made, newest, {"a", "n"}, 2)
    found = {step.id: again.environments[step.environment].vars["v"] for step in again.steps()}
    assert found == {"a": "old", "n": "new", "b": "newest"}
    assert scripts(again) == {"a": 'echo "${{ env.v }}"', "n": "echo n", "b": "echo"}


def test_what_an_include_was_given_stays_with_what_has_begun() -> None:
    part = """
    runbook: Part
    parameters: {w: {}}
    outputs: {o: "${{ steps.x.exit_code }}"}
    phases:
      - phase: P
        steps:
          - {id: x, run: 'echo "${{ w }}"', undo: {run: 'echo "${{ w }}"'}}
          - {id: y, run: 'echo "${{ w }}"'}
    """
    steps = '- {id: i, include: {file: part.yaml, with: {w: "first ${{ p }}"}}}'
    old = plan(steps, part=part)
    new = plan(steps.replace("first", "second"), part=part.replace("steps.x", "steps.y"))
    made = adopt(old, new, {"i", "i/x"}, 1)
    x, y = made.step("i/x"), made.step("i/y")
    assert x.options["script"] == 'echo "${{ i/w-as-begun-1 }}"'
    assert x.undo is not None
    assert x.undo.options["script"] == 'echo "${{ i/w-as-begun-1 }}"'
    assert y.options["script"] == 'echo "${{ i/w }}"'
    assert made.handed["i/w-as-begun-1"].text == "first ${{ p }}"
    assert made.handed["i/w"].text == "second ${{ p }}"
    # The include's own line is the new one until all of its steps have begun.
    assert made.step("i").options["outputs"] == {"o": "${{ steps.i/y.exit_code }}"}
    whole = adopt(old, new, {"i", "i/x", "i/y"}, 1)
    assert whole.step("i").options["outputs"] == {"o": "${{ steps.i/x.exit_code }}"}


def test_a_group_that_has_begun_stays_whole() -> None:
    old = plan("- {id: g, parallel: [{id: a, run: echo a}, {id: b, run: echo b}]}")
    new = plan("- {id: g, parallel: [{id: a, run: echo A}, {id: c, run: echo c}]}")
    assert scripts(adopt(old, new, {"g", "a", "b"}, 1)) == {"a": "echo a", "b": "echo b"}
    assert scripts(adopt(old, new, set(), 1)) == {"a": "echo A", "c": "echo c"}


_BEFORE = """
- {id: a, run: echo}
- {id: g, parallel: [{id: b, run: echo}, {id: c, run: echo}]}
- {id: d, run: echo}
"""


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ("- {id: g, parallel: [{id: b, run: echo}]}\n- {id: a, run: echo}", "a (a) has begun and"),
        ("- {id: g, parallel: [{id: b, run: echo}]}", "a (a) has begun and is not there any more"),
        (
            "- {id: a, run: echo}\n- {id: n, name: New, run: echo}\n"
            "- {id: g, parallel: [{run: echo}]}",
            "New (n) has not begun and stands before g, which has",
        ),
        (
            "- {id: a, run: echo}\n- {id: g, parallel: [{id: b, run: echo}]}\n- {id: c, run: echo}",
            "c belongs to g, which has begun, and cannot move",
        ),
    ],
)
def test_what_cannot_be_taken_on(after: str, said: str) -> None:
    with pytest.raises(CannotAdoptError) as raised:
        adopt(plan(_BEFORE), plan(after), {"a", "g", "b", "c"}, 1)
    assert said in raised.value.sentence


@settings(max_examples=60, deadline=None)
@given(st.permutations("abcdef"), st.permutations("abcdefgh"), st.integers(0, 6), st.integers(1, 8))
def test_either_it_is_refused_or_nothing_that_has_begun_changes(
    before: list[str], after: list[str], begun: int, length: int
) -> None:
    def of(ids: list[str], word: str) -> Plan:
        return plan("\n".join(f"- {{id: {id_}, run: echo {word}}}" for id_ in ids))

    kept = set(before[:begun])
    after = after[:length]
    try:
        made = adopt(of(before, "old"), of(after, "new"), kept, 1)
    except CannotAdoptError:
        assert after[:begun] != before[:begun]
        return
    assert after[:begun] == before[:begun]
    assert list(scripts(made)) == after
    assert scripts(made) == {id_: f"echo {'old' if id_ in kept else 'new'}" for id_ in after}
