"""Which steps a run has: its outline, and another one adopted on the way.

- An outline has each step once, a group before its steps.
- `definition_adopted` belongs to a run that is at work and rolls nothing back. What has begun is
  `kept` and still there, in the order in which it was. All else is as the new outline says; what
  nobody began and is not in it any more goes, and its notes become the run's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from state.events import DefinitionAdopted, Record
from state.fold_draft import RunDraft, StepDraft, thaw_step
from state.fold_steps import refuse
from state.json_value import Json
from state.run_state import Adopted, StepState
from state.status import StepStatus


def outline(record: Record, lines: Iterable[Mapping[str, Json]]) -> dict[str, StepDraft]:
    """Return the steps of an outline, none begun."""
    steps: dict[str, StepDraft] = {}
    for line in lines:
        step = _outlined(record, line)
        if step.id in steps:
            refuse(record, f"the step {step.id} occurs twice")
        if step.group is not None and step.group not in steps:
            refuse(record, f"the step {step.id} belongs to the group {step.group}, not seen yet")
        steps[step.id] = step
    return steps


def _outlined(record: Record, line: Mapping[str, Json]) -> StepDraft:
    id_, name = line.get("id"), line.get("name")
    phase, action = line.get("phase"), line.get("action")
    group, refs = line.get("group"), line.get("refs") or ()
    if not (
        isinstance(id_, str)
        and isinstance(name, str)
        and isinstance(phase, str)
        and isinstance(action, str)
        and (group is None or isinstance(group, str))
        and isinstance(refs, (list, tuple))
    ):
        refuse(record, f"the outline has a line that is none: {dict(line)!r}")
    return StepDraft(id_, name, phase, action, tuple(map(str, refs)), group)


def adopted(draft: RunDraft, record: Record, payload: DefinitionAdopted) -> None:
    """Have the run go on with other steps where none had begun."""
    if draft.started.base is not None:
        refuse(record, "a rollback keeps the definition of the run that it takes back")
    old = {step.id: step for step in draft.each_step()}
    new = outline(record, payload.steps)
    kept = frozenset(payload.kept)
    _check_kept(draft, record, old, new, kept)
    steps: dict[str, StepDraft] = {}
    for id_, line in new.items():
        before = old.get(id_)
        if before is None:
            steps[id_] = line
            continue
        step = before if isinstance(before, StepDraft) else thaw_step(before)
        step.phase, step.group = line.phase, line.group
        if id_ not in kept:
            step.name, step.action, step.refs = line.name, line.action, line.refs
        steps[id_] = step
    gone = (step for id_, step in old.items() if id_ not in new)
    draft.notes = (*draft.notes, *(note for step in gone for note in step.notes))
    draft.steps, draft.touched = {}, steps
    draft.adopting = False
    draft.adopted = (
        *draft.adopted,
        Adopted(payload, record.operator, record.host, record.at),
    )


def _check_kept(
    draft: RunDraft,
    record: Record,
    old: Mapping[str, StepDraft | StepState],
    new: Mapping[str, StepDraft],
    kept: frozenset[str],
) -> None:
    for id_ in kept:
        if id_ not in old or id_ not in new:
            refuse(record, f"{id_} is kept, and not there before and after")
        if new[id_].action != old[id_].action:
            refuse(record, f"{id_} is kept, and another action than before")
    for id_, step in old.items():
        if id_ not in kept and (begun(step) or id_ in draft.instances):
            refuse(record, f"{id_} has begun and is not kept")
    if [id_ for id_ in old if id_ in kept] != [id_ for id_ in new if id_ in kept]:
        refuse(record, "what is kept does not stand in the order in which it was")


def begun(step: StepState | StepDraft) -> bool:
    """Whether anything of a step has happened."""
    return (
        step.status is not StepStatus.PENDING
        or bool(step.attempts)
        or step.when is not None
        or step.answer is not None
    )
