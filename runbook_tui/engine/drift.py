"""How a run's files differ now from what it goes by, and what taking that on would mean."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import runbook_tui
from runbook_tui.definition import adopt, diff, loader, planning
from runbook_tui.definition.adopt import CannotAdoptError
from runbook_tui.definition.diff import Difference
from runbook_tui.definition.plan import Plan
from runbook_tui.definition.problems import DefinitionError, UsageProblem
from runbook_tui.engine import outline, plans, questions
from runbook_tui.engine.values import MASK
from state.events import DefinitionAdopted, QuestionAsked
from state.fold_definition import begun
from state.json_value import Json
from state.run_state import ADOPT, DRIFT, EACH_ACTION, GROUP_ACTION, Adopted, RunState, StepState

KEEP = "keep"
"""The answer that goes on with the definition as it is."""

_KEPT = "adopted/"
"""Begins the names under which the journal keeps files that were adopted."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is given again for secret parameters, and whether all of them must be."""

    given: Mapping[str, str]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Drift:
    """What has changed. `kept` are the steps that have begun: they keep their definition.

    `plan` is that of the run with the change; None when it cannot be adopted, and `refused` says
    why, as a part of a sentence.
    """

    files: tuple[str, ...]
    differences: tuple[Difference, ...] = ()
    kept: frozenset[str] = frozenset()
    plan: Plan | None = None
    refused: str | None = None

    @property
    def changed(self) -> tuple[str, ...]:
        """The ids of the steps that differ; the names of files when no step does, or none can be
        told."""
        return tuple(one.step for one in self.differences) or self.files

    def lines(self) -> list[str]:
        """Return what differs, in words, a line each; what a step's options were comes below it."""
        found: list[str] = []
        for one in self.differences:
            keeps = one.step in self.kept and one.change in ("changed", "moved")
            mark = " (has begun: it keeps what it began with)" if keeps else ""
            found.append(f"{one.change:<8} {one.step}{mark}")
            found += [f"         {line}" for line in one.lines]
        return found or [f"{'changed':<8} {name}; no step differs" for name in self.files]


def look(state: RunState, written: Plan, plan: Plan) -> Drift | None:
    """Return how the files differ now from what a run goes by; None when they do not.

    `written` is the plan of the run without the lists of its `each` groups, `plan` with them.
    """
    files = changed_files(state)
    if not files:
        return None
    if state.base is not None:
        return Drift(files, refused="a rollback goes on with the files of the run it takes back")
    try:
        loaded = loader.load(Path(state.started.file))
        known = loaded.runbook.parameters
        given = {name: one.value for name, one in plan.parameters.items() if name in known}
        fresh = planning.make_plan(loaded, state.started.environment or None, given)
    except DefinitionError as problem:
        where = next(one for one in problem.problems if one.severity == "error")
        said = f"{where.file}:{where.line}:{where.column}: {where.message}"
        return Drift(files, refused=f"the changed files have errors: {said}")
    except UsageProblem as problem:
        return Drift(files, refused=f"the changed files do not fit this run: {problem.sentence}")
    differences = diff.differences(plan, plans.of(fresh, state))
    kept = keeps(state)
    try:
        merged = adopt.adopt(written, fresh, kept, len(state.adopted) + 1)
    except CannotAdoptError as problem:
        return Drift(files, differences, kept, refused=problem.sentence)
    return Drift(files, differences, kept, merged)


def changed_files(state: RunState) -> tuple[str, ...]:
    """Return the names of files that are not, now, what a run goes by."""
    folder = Path(state.started.file).parent
    files = []
    for name, digest in state.definition.items():
        try:
            now = outline.hashes({name: (folder / name).read_bytes()})[name]
        except OSError:
            now = ""
        if now != digest:
            files.append(name)
    return tuple(files)


def keeps(state: RunState) -> frozenset[str]:
    """Return the ids of what has begun, all steps of a group with it."""
    units: dict[str, list[StepState]] = {}
    for step in state.steps.values():
        group = state.steps.get(step.group or "")
        alone = group is None or group.action not in (GROUP_ACTION, EACH_ACTION)
        units.setdefault(step.id if alone else str(step.group), []).append(step)
    return frozenset(
        step.id
        for steps in units.values()
        if any(begun(step) or step.id in state.instances for step in steps)
        for step in steps
    )


def event(drift: Drift, plan: Plan, state: RunState) -> DefinitionAdopted:
    """Return the event of a change that is adopted; `plan` is the run's with it."""
    return DefinitionAdopted(
        definition=outline.hashes(plan.sources),
        files={name: _digest(content) for name, content in plan.sources.items()},
        steps=outline.steps(plans.of(plan, state)),
        kept=tuple(id_ for id_ in state.steps if id_ in drift.kept),
        changed=drift.changed,
        parameters={
            name: MASK if one.secret else one.value for name, one in plan.parameters.items()
        },
        locks=outline.locks(plan),
        program=runbook_tui.__version__,
    )


def to_keep(plan: Plan) -> dict[str, bytes]:
    """Return the files of a plan under the names by which the journal keeps them."""
    return {f"{_KEPT}{_digest(content)}": content for content in plan.sources.values()}


def began_with(sources: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return, of all files that the journal keeps of a run, those that it began with."""
    return {name: content for name, content in sources.items() if not name.startswith(_KEPT)}


def adopted(plan: Plan, state: RunState, sources: Mapping[str, bytes], known: Secrets) -> Plan:
    """Return a run's plan, made from what it began with, with all that it has adopted since.

    Raises UsageProblem when a secret parameter is missing.
    """
    for number, one in enumerate(state.adopted, 1):
        plan = _with(plan, state, one, number, sources, known)
    return plan


def _with(
    plan: Plan,
    state: RunState,
    one: Adopted,
    number: int,
    sources: Mapping[str, bytes],
    known: Secrets,
) -> Plan:
    contents = {_digest(content): content for content in sources.values()}
    files = {name: contents[digest] for name, digest in one.event.files.items()}
    checked = one.event.program == runbook_tui.__version__
    loaded = loader.load_sources(state.started.file, files, checked=checked)
    wanted = loaded.runbook.parameters
    given = {
        name: text
        for name, text in one.event.parameters.items()
        if name in wanted and not wanted[name].secret
    }
    given |= {name: text for name, text in known.given.items() if name in wanted}
    home = state.started.environment or None
    fresh = planning.make_plan(loaded, home, given, complete=known.complete)
    return adopt.adopt(plan, fresh, frozenset(one.event.kept), number)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def question(drift: Drift, state: RunState) -> QuestionAsked | None:
    """Return what an operator is asked about a change; nothing when there is no choice, or when
    they have decided to keep the original of just these files."""
    if drift.plan is None:
        return None
    hashes: dict[str, Json] = dict(outline.hashes(drift.plan.sources))
    decided = (
        one for one in state.answered.values() if one.question.asks == DRIFT and one.choice == KEEP
    )
    if any(one.question.shown.get("definition") == hashes for one in decided):
        return None
    lines: list[Json] = [*drift.lines()]
    return QuestionAsked(
        questions.next_id(state),
        None,
        DRIFT,
        "The runbook has changed since the run began. Which one goes on?",
        (KEEP, ADOPT),
        None,
        {"lines": lines, "definition": hashes},
    )
