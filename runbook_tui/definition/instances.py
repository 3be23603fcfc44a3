"""`each`: which hosts or items its steps are repeated for, and a plan with them repeated. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from runbook_tui.definition import references
from runbook_tui.definition.ids import instance_id, instance_name, slug
from runbook_tui.definition.plan import (
    Each,
    FixedList,
    Instance,
    Plan,
    PlanEnvironment,
    PlanGroup,
    PlanStep,
)
from runbook_tui.definition.substitute import Lookup, MissingValueError, fill_text

MOST: Final = 1000
"""Hosts or items of one `each`; more are surely a mistake."""

_WORDS: Final = re.compile(r"[\r\n,]+")
_SHARE: Final = re.compile(r"([1-9]\d?|100)%")
_COUNT: Final = re.compile(r"\d{1,6}")


class ListError(Exception):
    """The list of an `each` cannot be made; the sentence says why."""


def listed(each: Each, environment: PlanEnvironment, lookup: Lookup) -> FixedList:
    """Return what the steps of an `each` are repeated for, with the values known now.

    Raises ListError, or MissingValueError for a reference without a value.
    """
    if each.over == "host":
        found = _hosts(each, environment, lookup)
    else:
        found = [Instance(slug(text), text) for text in _items(each.names, lookup)]
    if not found:
        raise ListError(f"there is no {each.over} to do it for")
    if len(found) > MOST:
        raise ListError(f"{len(found)} {each.over}s are more than the {MOST} that one `each` takes")
    _insist_on_names(found)
    batch = _batch(fill_text(each.batch, lookup).strip(), len(found))
    failures = fill_text(each.max_failures, lookup).strip()
    if not _COUNT.fullmatch(failures):
        raise ListError(f"max_failures is {failures!r} and not a number")
    return FixedList(tuple(found), batch, int(failures))


def _hosts(each: Each, environment: PlanEnvironment, lookup: Lookup) -> list[Instance]:
    names = [each.names] if isinstance(each.names, str) else each.names
    found: dict[str, Instance] = {}
    for written in names:
        name = fill_text(written, lookup).strip()
        hosts = environment.named(name)
        if not hosts:
            where = environment.name or "the runbook"
            raise ListError(f"{where} has no host or group {name}")
        found |= {host.name: Instance(host.name, host.name) for host in hosts}
    return list(found.values())


def _items(names: str | tuple[str, ...], lookup: Lookup) -> list[str]:
    """Return the items: those of a list one by one, those of a lone reference split."""
    if not isinstance(names, str):
        return [fill_text(text, lookup).strip() for text in names]
    text = fill_text(names, lookup)
    words = _WORDS.split(text) if references.scan(names)[0] else [text]
    return [word.strip() for word in words if word.strip()]


def _insist_on_names(found: list[Instance]) -> None:
    """Refuse items of which no id can be made, or of which two would have the same."""
    for one in found:
        if not one.name:
            raise ListError(f"no id can be made of the item {one.value!r}")
    twice = [name for name, count in Counter(one.name for one in found).items() if count > 1]
    if twice:
        same = ", ".join(repr(one.value) for one in found if one.name == twice[0])
        raise ListError(f"the items {same} would have the same id, {twice[0]}")


def _batch(text: str, count: int) -> int:
    """Return how many may go on at once: a share is rounded down, and at least one."""
    if share := _SHARE.fullmatch(text):
        return max(1, count * int(share[1]) // 100)
    if _COUNT.fullmatch(text) and int(text):
        return int(text)
    raise ListError(f"batch is {text!r}; expected a number or a share such as 25%")


def expand(plan: Plan, lists: Mapping[str, FixedList]) -> Plan:
    """Return a plan in which the steps of each group with a fixed list are repeated."""
    phases = tuple(
        replace(
            phase,
            items=tuple(
                _repeated(plan, item, lists[item.id])
                if isinstance(item, PlanGroup) and item.each is not None and item.id in lists
                else item
                for item in phase.items
            ),
        )
        for phase in plan.phases
    )
    return replace(plan, phases=phases)


def _repeated(plan: Plan, group: PlanGroup, fixed: FixedList) -> PlanGroup:
    each = group.each
    if each is None or each.fixed == fixed:
        return group
    environment = plan.environments[each.head.environment]
    steps = [
        _instance(template, each, environment, one)
        for one in fixed.instances
        for template in each.templates
    ]
    return replace(group, steps=tuple(steps), each=replace(each, fixed=fixed))


def _instance(
    template: PlanStep, each: Each, environment: PlanEnvironment, one: Instance
) -> PlanStep:
    hosts = environment.named(one.value) if each.over == "host" else ()
    return replace(
        template,
        id=instance_id(template.id, one.name),
        name=instance_name(template.name, one.value),
        instance=one.name,
        host=hosts[0] if hosts else None,
        item=one.value if each.over == "item" else None,
    )


def as_written(group: PlanGroup) -> PlanGroup:
    """Return a group as it was before its list was fixed."""
    each = group.each
    if each is None or each.fixed is None:
        return group
    return replace(group, steps=each.templates, each=replace(each, fixed=None))


def foreseen(plan: Plan, lookup: Lookup) -> dict[str, FixedList]:
    """Return the lists that can be told already; those that cannot are left out."""
    found = {}
    for group in plan.groups():
        if group.each is None or group.each.fixed is not None:
            continue
        try:
            place = plan.environments[group.each.head.environment]
            found[group.id] = listed(group.each, place, lookup)
        except (ListError, MissingValueError):
            continue
    return found
