"""The plan of a rollback: what takes a run's effects back, newest first, then the named runbook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from posixpath import normpath
from typing import Any

from runbook_tui.actions import registry
from runbook_tui.definition.ids import template_of
from runbook_tui.definition.instances import expand, foreseen
from runbook_tui.definition.loader import load_sources
from runbook_tui.definition.model import Runbook
from runbook_tui.definition.plan import (
    Plan,
    PlanEnvironment,
    PlanParameter,
    PlanPhase,
    PlanStep,
    RollbackRunbook,
    Undo,
)
from runbook_tui.definition.planning import Planner, check_parameters, home_of, plain_environment
from runbook_tui.definition.problems import UsageProblem
from runbook_tui.definition.references import Ref, scan
from runbook_tui.definition.substitute import MissingValueError, fill, fill_text, rename

UNDO_PHASE = "Undo"
_UNDO = "undo-"
"""Begins the id of a step that takes another's effect back."""
OF_RUN = "-of-run"
"""Ends the name of a run's parameter where the rollback runbook has another of the same name."""


@dataclass(frozen=True, slots=True)
class Done:
    """A step of the run that has an effect to take back: succeeded, adopted, or partial."""

    step: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    by_host: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """The linked run's plan, and the steps with an effect that nothing takes back.

    `cannot` are steps whose undo needs what they did not give, with why: the first deployment of a
    service has no previous version to go back to.
    """

    plan: Plan
    without_undo: tuple[PlanStep, ...]
    cannot: tuple[tuple[PlanStep, str], ...] = ()


def make_rollback_plan(base: Plan, done: Sequence[Done]) -> RollbackPlan:
    """Plan the rollback of a run. `done` is in the order in which the steps were done.

    References of undo steps to `steps.…` mean the base run's outputs: the engine looks there.
    Raises UsageProblem when the rollback runbook needs a value that the run does not have.
    """
    cannot = _cannot(base, done)
    lacking = {step.id for step, _ in cannot}
    undo = _undo_steps(base, [item for item in done if item.step not in lacking])
    named = base.rollback
    if named is None:
        return RollbackPlan(_plan(base, undo, base.parameters), _without_undo(base, done), cannot)
    loaded = load_sources(base.file, base.sources)
    runbook = loaded.others[normpath(named.file)]
    given = _given(base, named, runbook, done)
    home = home_of(loaded, base.environment or None)
    own = check_parameters(runbook.parameters, given, home)
    clashes = {
        name: name + OF_RUN
        for name, parameter in base.parameters.items()
        if name in own and own[name].value != parameter.value
    }
    parameters = {
        clashes.get(name, name): parameter for name, parameter in base.parameters.items()
    } | own
    if named.instead_of_undo:
        undo, parameters = (), own
    planner = Planner(loaded.environments, home, loaded.others, normpath(named.file))
    phases = tuple(planner.phase(phase) for phase in runbook.phases)
    others = {name: name + OF_RUN for name in base.handed if name in planner.handed}
    undo = tuple(
        replace(step, options=rename(step.options, {**clashes, **others})) for step in undo
    )
    handed = {
        others.get(name, name): replace(one, text=rename(one.text, {**clashes, **others}))
        for name, one in (base.handed if undo else {}).items()
    }
    used = {name: plain_environment(place) for name, place in planner.used.items()}
    plan = _plan(base, undo, parameters, phases, used)
    left = () if named.instead_of_undo else _without_undo(base, done)
    handed |= planner.handed
    cannot = () if named.instead_of_undo else cannot
    return RollbackPlan(replace(plan, runbook=runbook.name, handed=handed), left, cannot)


def step_ids(base: Plan) -> tuple[str, ...]:
    """Return the ids of all steps that a run, or a rollback of it, may ask about."""
    base = expand(base, foreseen(base, partial(_value, base, {})))
    templates = [one.id for group in base.groups() if group.each for one in group.each.templates]
    own = [*(step.id for step in base.steps()), *(step.id for step in base.heads()), *templates]
    undo = [_UNDO + step.id for step in base.steps() if step.undo is not None]
    if base.rollback is None:
        return (*own, *undo)
    loaded = load_sources(base.file, base.sources)
    file = normpath(base.rollback.file)
    home = home_of(loaded, base.environment or None)
    planner = Planner(loaded.environments, home, loaded.others, file)
    phases = loaded.others[file].phases
    back = replace(base, phases=tuple(planner.phase(phase) for phase in phases))
    return (*own, *undo, *(step.id for step in back.steps()))


def _undo_steps(base: Plan, done: Sequence[Done]) -> tuple[PlanStep, ...]:
    """Return the undo steps, newest first."""
    found = []
    for item in reversed(done):
        step = base.step(item.step)
        if step.undo is not None:
            # A person has to say that what had nothing before it is to go.
            removes = _removes(base, step, step.undo, item)
            found.append(
                PlanStep(
                    id=_UNDO + step.id,
                    name=f"Undo: {step.name}",
                    phase=UNDO_PHASE,
                    action=step.undo.action,
                    options=step.undo.options,
                    environment=step.environment,
                    confirm="ask" if removes else "none",
                    undoes=step.id,
                    instance=step.instance,
                    host=step.host,
                    item=step.item,
                )
            )
    return tuple(found)


def _removes(base: Plan, step: PlanStep, undo: Undo, item: Done) -> bool:
    """Tell whether an undo, with what its step gave, removes and puts nothing in the place."""
    own = (step.id, template_of(step.id))
    place = base.environments[step.environment]

    def lookup(ref: Ref) -> str | None:
        name = item.step if ref.kind == "step" and ref.step in own else ref.step
        found = _value(base, {item.step: item}, replace(ref, step=name), place)
        return found if found or ref.default is not None else ref.path

    try:
        options = fill(undo.options, lookup)
    except MissingValueError:
        return False
    return registry.spec(undo.action).removes(options)


def _cannot(base: Plan, done: Sequence[Done]) -> tuple[tuple[PlanStep, str], ...]:
    """Return the steps whose undo needs an output of theirs that they did not give, with why."""
    found = []
    for item in done:
        step = base.step(item.step)
        if step.undo is None:
            continue
        lacks = next((ref for ref in _own(step, step.undo.options) if not _gives(item, ref)), None)
        if lacks is not None:
            said = f"its undo needs {lacks.path}, and it gave none: take it back by hand"
            found.append((step, said))
    return tuple(found)


def _own(step: PlanStep, value: Any) -> Iterator[Ref]:
    """Yield the references in an undo to outputs of the very step that it takes back."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _own(step, inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _own(step, inner)
    elif isinstance(value, str):
        own = (step.id, template_of(step.id))
        yield from (ref for ref in scan(value)[0] if ref.kind == "step" and ref.step in own)


def _gives(item: Done, ref: Ref) -> bool:
    if ref.default is not None or ref.name in item.outputs:
        return True
    return any(ref.name in values for values in item.by_host.values())


def _without_undo(base: Plan, done: Sequence[Done]) -> tuple[PlanStep, ...]:
    steps = (base.step(item.step) for item in done)
    return tuple(
        step
        for step in steps
        if step.undo is None and registry.spec(step.action).changes_with(step.options)
    )


def _given(
    base: Plan, named: RollbackRunbook, runbook: Runbook, done: Sequence[Done]
) -> dict[str, str]:
    """Return the values for the rollback runbook: `with`, else the run's of the same name."""
    given = {
        name: parameter.value
        for name, parameter in base.parameters.items()
        if name in runbook.parameters
    }
    by_step = {item.step: item for item in done}

    def lookup(ref: Ref) -> str | None:
        return _value(base, by_step, ref)

    for name, text in named.given.items():
        try:
            given[name] = fill_text(text, lookup)
        except MissingValueError as error:
            raise UsageProblem(
                f'The rollback runbook needs "{name}": {error.sentence}',
                "Give the reference a default in `rollback: {with: …}`, or roll back by hand",
            ) from error
    return given


def _value(
    base: Plan, done: Mapping[str, Done], ref: Ref, place: PlanEnvironment | None = None
) -> str | None:
    if ref.kind == "parameter":
        return _parameter(base, done, ref)
    if ref.kind == "env":
        return (place or base.home()).vars.get(ref.name)
    item = done.get(ref.step or "")
    if ref.kind == "step" and item is None and ref.step in {one.id for one in base.includes()}:
        return _given_back(base, done, ref)
    if ref.kind == "step" and item is None:
        item = _of_instances(done, ref.step or "")
    if ref.kind != "step" or item is None:
        return None
    if ref.host is not None:
        return item.by_host.get(ref.host, {}).get(ref.name)
    if ref.name in item.outputs:
        return item.outputs[ref.name]
    found = {host: values[ref.name] for host, values in item.by_host.items() if ref.name in values}
    if len(set(found.values())) > 1:
        table = ", ".join(f"{host}: {value}" for host, value in found.items())
        raise MissingValueError(ref, f"{ref.path} differs from host to host ({table})")
    return next(iter(found.values()), None)


def _parameter(base: Plan, done: Mapping[str, Done], ref: Ref) -> str | None:
    """Return a parameter's value, also one of an included runbook."""
    handed = base.handed.get(ref.name)
    if handed is None:
        parameter = base.parameters.get(ref.name)
        return parameter.value if parameter else None
    if not handed.written:
        return handed.text
    place = base.environments[handed.environment]
    return fill_text(handed.text, lambda inner: _value(base, done, inner, place))


def _given_back(base: Plan, done: Mapping[str, Done], ref: Ref) -> str | None:
    """Return an output of an include, from what its steps gave."""
    include = base.step(ref.step or "")
    text = include.options["outputs"].get(ref.name)
    place = base.environments[include.environment]
    return fill_text(text, lambda inner: _value(base, done, inner, place)) if text else None


def _of_instances(done: Mapping[str, Done], step: str) -> Done | None:
    """Return what a step repeated by `each` gave, by host or item."""
    of = {id_.partition("@")[2]: item for id_, item in done.items() if template_of(id_) == step}
    given = {name: {**item.by_host.get(name, {}), **item.outputs} for name, item in of.items()}
    return Done(step, by_host=given) if of else None


def _plan(
    base: Plan,
    undo: tuple[PlanStep, ...],
    parameters: Mapping[str, PlanParameter],
    phases: tuple[PlanPhase, ...] = (),
    used: Mapping[str, PlanEnvironment] | None = None,
) -> Plan:
    first = (PlanPhase(UNDO_PHASE, undo),) if undo else ()
    places = {step.environment for step in undo} | {base.environment}
    if undo:
        places |= {one.environment for one in base.handed.values()}
    environments = {name: base.environments[name] for name in places} | dict(used or {})
    return replace(
        base,
        runbook=f"Roll back {base.runbook}",
        description=f"Takes back what a run of {base.runbook} did.",
        parameters=parameters,
        phases=(*first, *phases),
        environments=environments,
        rollback=None,
        way_back=False,
    )
