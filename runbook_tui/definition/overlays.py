"""Options and keys of a step that differ in an environment (`steps:` of that environment)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runbook_tui.actions import registry
from runbook_tui.definition.model import Step, StepKeys
from runbook_tui.definition.problems import Problem, did_you_mean
from runbook_tui.definition.steps import GROUPS, STEP_KEYS, StepReader, shorthand
from runbook_tui.definition.tree import Map, spot
from runbook_tui.definition.validate import validate

FIXED = frozenset({"id", "name", "ref", "when", "in", "background", "fail_fast"})
"""Keys that are the same everywhere: they make the step what it is, not how it is done."""


@dataclass(frozen=True, slots=True)
class Overlaid:
    """A step as it is in one environment, and the names of what the environment changed."""

    step: Step
    changed: tuple[str, ...] = ()
    options: Map | None = None
    """The overlay's own options, for positions."""


def overlay(step: Step, own: Map, problems: list[Problem]) -> Overlaid:
    """Lay an environment's part over a step: same action, options and keys one by one.

    An option given as null is taken away. Adds what is wrong to `problems`.
    """
    good = _check_keys(step, own, problems)
    keys = _keys(step, own, problems) or step.keys
    verify, undo = step.verify, step.undo
    reader = StepReader(problems)
    if isinstance(own.get("verify"), Map):
        verify = reader.verify(own["verify"])
    if isinstance(own.get("undo"), Map):
        undo = reader.undo(own["undo"])
    options, given = step.options, None
    changed = [key for key in own if key in good and key != step.kind]
    if step.kind in good and step.kind in own:
        given = _given(step, own, problems)
    if given is not None:
        options = _merged(step.options, given)
        changed = [*given, *changed]
        validate(
            registry.spec(step.kind).options,
            options,
            problems,
            roots=(step.options, given),
            references=True,
        )
    step = replace(step, keys=keys, options=options, verify=verify, undo=undo)
    return Overlaid(step, tuple(changed), given)


def _check_keys(step: Step, own: Map, problems: list[Problem]) -> frozenset[str]:
    """Return the keys that an overlay of this step may have."""
    allowed = (STEP_KEYS - FIXED) | (frozenset() if step.kind in GROUPS else {step.kind})
    for key in own:
        if key in allowed:
            continue
        place = spot(own, key, of_key=True)
        if key in registry.kinds() or key in GROUPS:
            said = f'the step "{step.id}" performs "{step.kind}"; an environment cannot change that'
            problems.append(place.error("overlay", said, "lay options over it, or use `when`"))
        elif key in FIXED:
            said = f'"{key}" of a step is the same in every environment'
            problems.append(place.error("overlay", said))
        else:
            hint = did_you_mean(key, sorted(allowed))
            problems.append(place.error("unknown-key", f'unknown key "{key}"', hint))
    return allowed


def _keys(step: Step, own: Map, problems: list[Problem]) -> StepKeys | None:
    given = {key: value for key, value in own.items() if key in STEP_KEYS - FIXED}
    if not given:
        return None
    read = validate(StepKeys, given, problems, roots=(own,))
    if read is None:
        return None
    return step.keys.model_copy(
        update={name: getattr(read, name) for name in read.model_fields_set}
    )


def _given(step: Step, own: Map, problems: list[Problem]) -> Map | None:
    made = shorthand(own, step.kind, registry.spec(step.kind).shorthand)
    if made is None:
        said = f'expected options of "{step.kind}"'
        problems.append(spot(own, step.kind).error("type", said))
    return made


def _merged(base: Map, given: Map) -> Map:
    merged = Map({key: value for key, value in {**base, **given}.items() if value is not None})
    merged.event = base.event
    merged.source = base.source
    merged.marks = base.marks
    return merged
