"""Differences of definitions, by step id."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runbook_tui.definition.diff import differences
from runbook_tui.definition.instances import expand
from runbook_tui.definition.plan import FixedList, Instance
from tests.definition.builders import planned

_ENV = "environments: {e: {vars: {v: one}}}\n"


def changes(
    before: str, after: str, head: str = "", head_after: str | None = None
) -> list[tuple[str, str, tuple[str, ...]]]:
    environment = "e" if head else None
    old = planned(before, head, environment)
    new = planned(after, head if head_after is None else head_after, environment)
    return [(one.step, one.change, one.lines) for one in differences(old, new)]


def test_what_changed() -> None:
    before = "- {id: a, run: echo}\n- {id: b, run: echo}\n- {id: c, run: echo}"
    after = "- {id: n, run: echo}\n- {id: a, run: echo 2, timeout: 5s}\n- {id: c, wait: 5s}"
    assert changes(before, after) == [
        ("n", "added", ()),
        ("a", "changed", ("script: echo → echo 2", "timeout: nothing → 5.0")),
        ("c", "changed", ("action: run → wait", "for: nothing → 5s", "script: echo → nothing")),
        ("b", "removed", ()),
    ]


def test_line_ends_and_trailing_blanks_do_not_count() -> None:
    before = '- {id: a, run: "one\\ntwo"}'
    assert changes(before, '- {id: a, run: "one  \\r\\ntwo"}') == []


def test_a_variable_that_changed_changes_the_steps_that_use_it() -> None:
    steps = "- {id: a, run: 'echo \"${{ env.v }}\"'}\n- {id: b, run: echo}"
    found = changes(steps, steps, _ENV, _ENV.replace("one", "two"))
    assert found == [("a", "changed", ('script: echo "one" → echo "two"',))]


def test_groups() -> None:
    before = "- {id: g, parallel: [{id: a, run: echo}, {id: b, run: echo}]}"
    after = "- {id: g, parallel: [{id: a, run: echo}, {id: c, run: echo}]}"
    assert changes(before, after) == [
        ("g", "changed", ("steps: a, b → a, c",)),
        ("c", "added", ()),
        ("b", "removed", ()),
    ]


@given(st.permutations(range(7)))
def test_moved_steps_are_as_few_as_can_be(order: list[int]) -> None:
    before = "\n".join(f"- {{id: s{n}, run: echo}}" for n in range(7))
    after = "\n".join(f"- {{id: s{n}, run: echo}}" for n in order)
    moved = {step for step, change, _ in changes(before, after) if change == "moved"}
    stayed = [n for n in order if f"s{n}" not in moved]
    assert stayed == sorted(stayed)
    longest = [1] * 7
    for at, n in enumerate(order):
        longest[at] = 1 + max((longest[b] for b in range(at) if order[b] < n), default=0)
    assert len(stayed) == max(longest)


def test_each_as_it_was_written() -> None:
    before = "- {id: g, each: {item: [x, y], batch: 2}, steps: [{id: a, run: echo}]}"
    after = "- {id: g, each: {item: [x, z]}, steps: [{id: a, run: echo 2}]}"
    old = planned(before)
    fixed = expand(old, {"g": FixedList((Instance("x", "x"), Instance("y", "y")), 2)})
    assert [step.id for step in fixed.steps()] == ["a@x", "a@y"]
    assert differences(old, fixed) == ()
    assert [(one.step, one.lines) for one in differences(fixed, planned(after))] == [
        ("g", ("names: ['x', 'y'] → ['x', 'z']", "batch: 2 → 1")),
        ("a", ("script: echo → echo 2",)),
    ]
