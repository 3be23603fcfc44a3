"""How a definition differs from the one that a run began with, by step id."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from runbook_tui.definition.instances import as_written
from runbook_tui.definition.plan import Each, Plan, PlanGroup, PlanStep
from runbook_tui.definition.references import Ref
from runbook_tui.definition.substitute import fill

Change = Literal["added", "removed", "changed", "moved"]

_LEFT_OUT = frozenset({"id"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One step that is not as it was. `lines` say what, as `key: before → after`."""

    step: str
    change: Change
    lines: tuple[str, ...] = ()


def differences(before: Plan, after: Plan) -> tuple[Difference, ...]:
    """Return what differs, in the order of the new plan, removed steps last.

    Line ends and trailing blanks do not count. A step that only stands elsewhere has moved.
    """
    old, new = _items(before), _items(after)
    found = []
    for id_, item in new.items():
        if id_ not in old:
            found.append(Difference(id_, "added"))
        elif lines := tuple(_lines(old[id_], item)):
            found.append(Difference(id_, "changed", lines))
    kept_old = [id_ for id_ in old if id_ in new]
    kept_new = [id_ for id_ in new if id_ in old]
    changed = {difference.step for difference in found}
    found += [Difference(id_, "moved") for id_ in _moved(kept_old, kept_new) if id_ not in changed]
    found += [Difference(id_, "removed") for id_ in old if id_ not in new]
    return tuple(found)


def _items(plan: Plan) -> dict[str, PlanStep | PlanGroup]:
    found: dict[str, PlanStep | PlanGroup] = {}
    for phase in plan.phases:
        for item in phase.items:
            if isinstance(item, PlanGroup):
                found[item.id] = group = as_written(item)
                found |= {step.id: _with_values(plan, step) for step in group.steps}
            else:
                found[item.id] = _with_values(plan, item)
    return found


def _with_values(plan: Plan, step: PlanStep) -> PlanStep:
    """Return a step with its environment's variables filled in: a changed value changes it."""
    variables = plan.environments[step.environment].vars

    def lookup(ref: Ref) -> str:
        known = variables.get(ref.name) if ref.kind == "env" else None
        return known or f"${{{{ {ref.path} }}}}"

    return replace(step, options=fill(step.options, lookup))


def _moved(old: list[str], new: list[str]) -> list[str]:
    """Return the ids that must have moved: those outside a longest common order."""
    place = {id_: index for index, id_ in enumerate(old)}
    ends: list[int] = []
    """For each length the smallest old place that a rising chain of it can end with."""
    last: list[int] = []
    """The index in `new` of that end."""
    before: list[int] = []
    for index, id_ in enumerate(new):
        length = bisect_left(ends, place[id_])
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [place[id_]]
        last[length : length + 1] = [index]
    stayed = set()
    at = last[-1] if last else -1
    while at >= 0:
        stayed.add(new[at])
        at = before[at]
    return [id_ for id_ in new if id_ not in stayed]


def _lines(before: PlanStep | PlanGroup, after: PlanStep | PlanGroup) -> Iterator[str]:
    if type(before) is not type(after):
        yield "a group and a single step"
        return
    for name in (field.name for field in fields(before)):
        old, new = _plain(getattr(before, name)), _plain(getattr(after, name))
        if name in _LEFT_OUT or old == new:
            continue
        if name == "each":
            yield from _each_lines(old, new)
        elif name == "steps":
            yield from _names("steps", [step.id for step in old], [step.id for step in new])
        elif isinstance(old, Mapping) and isinstance(new, Mapping):
            for key in sorted({*old, *new}):
                if old.get(key) != new.get(key):
                    yield f"{key}: {_show(old.get(key))} → {_show(new.get(key))}"
        else:
            yield f"{name}: {_show(old)} → {_show(new)}"


def _each_lines(old: Each | None, new: Each | None) -> Iterator[str]:
    if old is None or new is None:
        yield "all at once and one after the other"
        return
    for name in ("over", "names", "batch", "max_failures"):
        before, after = _plain(getattr(old, name)), _plain(getattr(new, name))
        if before != after:
            yield f"{name}: {_show(before)} → {_show(after)}"
    for name in ("when", "environment", "background", "on_failure"):
        before, after = getattr(old.head, name), getattr(new.head, name)
        if before != after:
            yield f"{name}: {_show(before)} → {_show(after)}"


def _names(what: str, old: list[str], new: list[str]) -> Iterator[str]:
    if old != new:
        yield f"{what}: {', '.join(old)} → {', '.join(new)}"


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return "\n".join(line.rstrip() for line in value.splitlines())
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _show(value: Any) -> str:
    text = "nothing" if value in (None, "", [], {}) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:79] + "…"
