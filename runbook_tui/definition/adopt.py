"""A plan that goes on with a changed definition where nothing had begun. Pure.

What has begun keeps its old definition whole, with the environment and the values that it was
handed; all else is the new plan's. A group has begun when one of its steps has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import replace

from runbook_tui.definition.plan import INCLUDE, Handed, Plan, PlanEnvironment, PlanGroup, PlanStep
from runbook_tui.definition.substitute import rename

Item = PlanStep | PlanGroup


class CannotAdoptError(Exception):
    """The change concerns what has begun. `sentence` says what, without a full stop."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def adopt(old: Plan, new: Plan, kept: Set[str], number: int) -> Plan:
    """Return the new plan with the items of the old one whose ids are `kept` in their places.

    `number` counts a run's adoptions: what is kept beside something new of the same name is told
    apart by it. Neither plan has the lists of its `each` groups. Raises CannotAdoptError.
    """
    mine = {item.id: item for item in _items(old) if _is_kept(item, old, kept)}
    _check(old, new, mine)
    marked = f" (as begun {number})"
    moved = {
        name: name + marked
        for name in (*_places(mine.values()), *(one.environment for one in old.handed.values()))
        if name in new.environments and new.environments[name] != old.environments[name]
    }
    handed = {
        name: f"{name}-as-begun-{number}"
        for name, one in old.handed.items()
        if name in new.handed and new.handed[name] != one
    }

    def keep(step: PlanStep) -> PlanStep:
        place = moved.get(step.environment, step.environment)
        return _renamed(replace(step, environment=place), handed)

    phases = tuple(
        replace(
            phase,
            items=tuple(
                _placed(mine[item.id], item, keep) if item.id in mine else item
                for item in phase.items
            ),
        )
        for phase in new.phases
    )
    return replace(
        new,
        phases=phases,
        parameters={**old.parameters, **new.parameters},
        environments={**_old_places(old, mine.values(), moved), **new.environments},
        handed={**_old_handed(old, moved, handed), **new.handed},
    )


def _items(plan: Plan) -> Iterator[Item]:
    for phase in plan.phases:
        yield from phase.items


def _closes(item: Item) -> bool:
    return isinstance(item, PlanStep) and item.action == INCLUDE


def _is_kept(item: Item, plan: Plan, kept: Set[str]) -> bool:
    """Whether an item keeps its definition: of an include the line, when all of its steps do."""
    if item.id not in kept or not _closes(item):
        return item.id in kept
    within = f"{item.id}/"
    return all(one.id in kept for one in _items(plan) if one.id.startswith(within))


def _check(old: Plan, new: Plan, mine: Mapping[str, Item]) -> None:
    before = [item for item in _items(old) if not _closes(item)]
    after = [item.id for item in _items(new) if not _closes(item)]
    begun = [item.id for item in before if item.id in mine]
    names = {item.id: item.name for item in (*_items(new), *before)}
    gone = next((id_ for id_ in begun if id_ not in after), None)
    if gone is not None:
        raise CannotAdoptError(f"{names[gone]} ({gone}) has begun and is not there any more")
    there = [id_ for id_ in after if id_ in mine]
    other = next((one for one, two in zip(begun, there, strict=True) if one != two), None)
    if other is not None:
        raise CannotAdoptError(f"{names[other]} ({other}) has begun and stands elsewhere now")
    if there:
        earlier = {item.id for item in before[: [one.id for one in before].index(begun[-1])]}
        ahead = after[: after.index(there[-1])]
        first = next((id_ for id_ in ahead if id_ not in mine and id_ not in earlier), None)
        if first is not None:
            last = names[there[-1]]
            raise CannotAdoptError(
                f"{names[first]} ({first}) has not begun and stands before {last}, which has"
            )
    _check_ids(new, mine, names)


def _check_ids(new: Plan, mine: Mapping[str, Item], names: Mapping[str, str]) -> None:
    """See that no step comes twice: out of a group that has begun none can be taken."""
    seen: dict[str, str] = {}
    for item in (mine.get(one.id, one) for one in _items(new)):
        for id_ in {item.id, *(step.id for step in _steps(item))}:
            if id_ in seen:
                group = item.id if item.id in mine else seen[id_]
                name = names.get(group, group)
                raise CannotAdoptError(f"{id_} belongs to {name}, which has begun, and cannot move")
            seen[id_] = item.id


def _steps(item: Item) -> tuple[PlanStep, ...]:
    if isinstance(item, PlanStep):
        return (item,)
    templates = item.each.templates if item.each is not None else ()
    return (*item.steps, *(one for one in templates if one not in item.steps))


def _places(items: Iterable[Item]) -> set[str]:
    """Return the environments of items."""
    found = {step.environment for item in items for step in _steps(item)}
    return found | {
        item.each.head.environment
        for item in items
        if isinstance(item, PlanGroup) and item.each is not None
    }


def _old_places(
    old: Plan, mine: Iterable[Item], moved: Mapping[str, str]
) -> dict[str, PlanEnvironment]:
    wanted = _places(mine) | {one.environment for one in old.handed.values()}
    return {moved.get(name, name): old.environments[name] for name in wanted}


def _old_handed(old: Plan, moved: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Handed]:
    return {
        names.get(name, name): replace(
            one,
            text=rename(one.text, names),
            environment=moved.get(one.environment, one.environment),
        )
        for name, one in old.handed.items()
    }


def _placed(mine: Item, new: Item, keep: Callable[[PlanStep], PlanStep]) -> Item:
    """Return an old item where the new one stands."""
    if isinstance(mine, PlanStep):
        return replace(keep(mine), phase=new.phase)
    each = mine.each and replace(
        mine.each,
        head=replace(keep(mine.each.head), phase=new.phase),
        templates=tuple(replace(keep(one), phase=new.phase) for one in mine.each.templates),
    )
    steps = tuple(replace(keep(one), phase=new.phase) for one in mine.steps)
    return replace(mine, phase=new.phase, steps=steps, each=each)


def _renamed(step: PlanStep, names: Mapping[str, str]) -> PlanStep:
    if not names:
        return step
    return replace(
        step,
        options=rename(step.options, names),
        verify=step.verify and replace(step.verify, options=rename(step.verify.options, names)),
        undo=step.undo and replace(step.undo, options=rename(step.undo.options, names)),
        help=rename(step.help, names),
    )
