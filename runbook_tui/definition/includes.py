"""Included runbooks: their steps as steps of the run that includes them.

Within its file an included runbook knows its own names only. In the plan they stand behind the id
of the including step: of the include `tokens` the step `mint` is `tokens/mint`, its parameter `ca`
is `tokens/ca`. So the engine sees plain steps. Nested ones are put into theirs first, inside out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from runbook_tui.definition import references
from runbook_tui.definition.lint_environments import STRENGTH
from runbook_tui.definition.plan import INCLUDE, Condition, Handed, PlanGroup, PlanStep, When
from runbook_tui.definition.references import Ref
from runbook_tui.definition.substitute import rewrite

Item = PlanStep | PlanGroup


def within(outer: str, name: str) -> str:
    """Return the name, in the run, of what is called `name` inside an include."""
    return f"{outer}/{name}"


def around(inside: str | None) -> tuple[str, ...]:
    """Return the includes that a step is in, the outermost first."""
    names = inside.split("/") if inside else []
    return tuple("/".join(names[: count + 1]) for count in range(len(names)))


def as_part(head: PlanStep, items: Sequence[Item]) -> tuple[Item, ...]:
    """Return an included runbook's items as a part of the run, then the include's own line.

    `head` is the including step: its conditions, its confirmation, where that is stronger, and its
    `no_return` count for every step.
    """

    def framed(step: PlanStep) -> PlanStep:
        return _framed(_qualified(step, head.id), head)

    made: list[Item] = []
    for item in items:
        if isinstance(item, PlanGroup):
            made.append(_group(item, head, framed))
        else:
            made.append(framed(item))
    options = {"outputs": qualified(head.options.get("outputs", {}), head.id)}
    own = replace(
        head,
        options=options,
        when=(),
        confirm="none",
        no_return=None,
        on_failure="continue",
    )
    return (*made, own)


def handed_on(handed: Mapping[str, Handed], outer: str) -> dict[str, Handed]:
    """Return what nested includes are handed, by its names in the run."""
    return {
        within(outer, name): replace(one, text=qualified(one.text, outer)) if one.written else one
        for name, one in handed.items()
    }


def qualified(value: Any, outer: str) -> Any:
    """Return plain data of an included runbook with its references as the run knows them."""
    return rewrite(value, lambda ref: _path(ref, outer))


def _path(ref: Ref, outer: str) -> str | None:
    if ref.kind == "parameter":
        return within(outer, ref.name)
    if ref.kind == "step":
        return f"steps.{within(outer, ref.path.removeprefix('steps.'))}"
    return None


def _qualified(step: PlanStep, outer: str) -> PlanStep:
    return replace(
        step,
        id=within(outer, step.id),
        group=within(outer, step.group) if step.group else None,
        inside=within(outer, step.inside) if step.inside else outer,
        options=_steps_named(step, qualified(step.options, outer), outer),
        verify=step.verify and replace(step.verify, options=qualified(step.verify.options, outer)),
        undo=step.undo and replace(step.undo, options=qualified(step.undo.options, outer)),
        help=qualified(step.help, outer),
        when=tuple(_when(when, outer) for when in step.when),
    )


_NAMES_A_STEP = {"join": "join", "wait": "since"}
"""Options that hold the id of a step."""


def _steps_named(step: PlanStep, options: Mapping[str, Any], outer: str) -> Mapping[str, Any]:
    key = _NAMES_A_STEP.get(step.action)
    named = options.get(key) if key is not None else None
    if key is None or not isinstance(named, str) or "${{" in named:
        return options
    return {**options, key: within(outer, named)}


def _when(when: When, outer: str) -> When:
    return replace(when, conditions=tuple(_condition(one, outer) for one in when.conditions))


def _condition(one: Condition, outer: str) -> Condition:
    if one.step is not None:
        return replace(one, step=within(outer, one.step))
    ref = references.make(one.value or "")
    path = _path(ref, outer) if isinstance(ref, Ref) else None
    return replace(one, value=path or one.value)


def _framed(step: PlanStep, head: PlanStep) -> PlanStep:
    step = replace(step, phase=head.phase, when=(*head.when, *step.when))
    if step.action == INCLUDE:
        return replace(step, when=())
    if STRENGTH.index(step.confirm) < STRENGTH.index(head.confirm):
        step = replace(step, confirm=head.confirm, roles=head.roles, approvers=head.approvers)
    return replace(step, no_return=step.no_return or head.no_return)


def _group(group: PlanGroup, head: PlanStep, framed: Callable[[PlanStep], PlanStep]) -> PlanGroup:
    each = group.each and replace(
        group.each,
        head=replace(framed(group.each.head), confirm="none"),
        names=_names(group.each.names, head.id),
        templates=tuple(map(framed, group.each.templates)),
        batch=qualified(group.each.batch, head.id),
        max_failures=qualified(group.each.max_failures, head.id),
    )
    return replace(
        group,
        id=within(head.id, group.id),
        inside=within(head.id, group.inside) if group.inside else head.id,
        phase=head.phase,
        steps=tuple(map(framed, group.steps)),
        when=(*head.when, *(_when(when, head.id) for when in group.when)),
        each=each,
    )


def _names(names: str | tuple[str, ...], outer: str) -> str | tuple[str, ...]:
    if isinstance(names, str):
        return str(qualified(names, outer))
    return tuple(str(qualified(name, outer)) for name in names)
