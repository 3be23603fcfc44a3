"""Reading phases and steps: which action a step performs, its id, its groups."""

from __future__ import annotations

import re
from typing import Any

from runbook_tui.actions import registry
from runbook_tui.actions.check.spec import KINDS as LOOKS
from runbook_tui.actions.check.spec import LookOptions
from runbook_tui.definition import when
from runbook_tui.definition.ids import slug
from runbook_tui.definition.model import (
    ID,
    EachKeys,
    IncludeKeys,
    Phase,
    PhaseKeys,
    Step,
    StepKeys,
)
from runbook_tui.definition.plan import Undo, Verify
from runbook_tui.definition.problems import Problem, did_you_mean
from runbook_tui.definition.tree import Map, Seq, describe, spot, stray
from runbook_tui.definition.validate import validate

GROUPS = ("parallel", "each", "include")
_NOT_INSIDE = frozenset({*GROUPS, "join"})
STEP_KEYS = frozenset(field.alias or name for name, field in StepKeys.model_fields.items())
TAKEN_IDS = frozenset({"start", "rollback"})
"""`--confirm start=…` and `--confirm rollback=…` ask for the environment's name."""

SHORTHANDS = {"each": "host", "include": "file"}


class StepReader:
    """Reads the steps of one file, with the ids seen so far."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.ids: dict[str, Step] = {}
        self.broken: set[str] = set()
        """Ids of steps that cannot be read: what refers to them is not wrong for that."""
        self.kinds = frozenset(registry.kinds())
        self._for_host = False
        """Whether the steps being read are those of `each: {host: …}`."""

    def phases(self, nodes: Seq) -> tuple[Phase, ...]:
        """Read all phases of a runbook."""
        found = []
        for index, node in enumerate(nodes):
            if not isinstance(node, Map):
                said = f"expected a phase, found {describe(node)}"
                hint = "a phase is {phase: NAME, steps: [...]}"
                self.problems.append(spot(nodes, index).error("type", said, hint))
                continue
            if phase := self._phase(node):
                found.append(phase)
        return tuple(found)

    def _phase(self, node: Map) -> Phase | None:
        keys = validate(PhaseKeys, node, self.problems)
        steps = node.get("steps")
        if not isinstance(steps, Seq):
            return None
        read = self._steps(steps)
        conditions = when.parse(node, "when", self.problems) if "when" in node else None
        if keys is None:
            return None
        return Phase(keys.phase, read, node, conditions, keys.in_)

    def _steps(self, nodes: Seq, *, inside: str | None = None) -> tuple[Step, ...]:
        found = []
        for index, node in enumerate(nodes):
            if not isinstance(node, Map):
                said = f"expected a step, found {describe(node)}"
                hint = "a step is a mapping with one action, such as {run: SCRIPT}"
                self.problems.append(spot(nodes, index).error("type", said, hint))
            elif step := self._step(node, inside):
                found.append(step)
        return tuple(found)

    def _step(self, node: Map, inside: str | None) -> Step | None:
        kind = self._kind(node)
        given = {key: value for key, value in node.items() if key in STEP_KEYS}
        keys = validate(StepKeys, given, self.problems, roots=(node,))
        if kind in _NOT_INSIDE and inside:
            said = f'"{kind}" cannot stand inside "{inside}"'
            self.problems.append(spot(node, kind, of_key=True).error("nesting", said))
            kind = None
        if kind is None:
            self._broken(node)
            return None
        before = len(self.problems)
        options = self._options(node, kind)
        sound = len(self.problems) == before
        children = self._children(node, kind)
        conditions = when.parse(node, "when", self.problems) if "when" in node else None
        verify = self.verify(node["verify"]) if isinstance(node.get("verify"), Map) else None
        undo = self.undo(node["undo"]) if isinstance(node.get("undo"), Map) else None
        keys = keys or _salvaged(node)
        id_ = self._id(node, keys, kind)
        if options is None or id_ is None:
            self._broken(node)
            return None
        step = Step(
            id_,
            keys.name or id_,
            kind,
            options,
            keys,
            node,
            conditions,
            verify,
            undo,
            children,
            sound,
        )
        self._keep(step)
        return step

    def _kind(self, node: Map) -> str | None:
        """Return the one key that says what the step does."""
        found = [key for key in node if key in self.kinds or key in GROUPS]
        strange = [
            key
            for key in node
            if key not in STEP_KEYS and key not in found and not (key == "steps" and "each" in node)
        ]
        for key in strange:
            self._unknown(node, key, needs_action=not found)
        if not found:
            if not strange:
                said = "a step needs an action"
                hint = f"known: {', '.join(sorted(self.kinds))}, {', '.join(GROUPS)}"
                self.problems.append(spot(node).error("no-action", said, hint))
            return None
        for other in found[1:]:
            said = f'a step has one action: "{found[0]}" or "{other}"'
            self.problems.append(spot(node, other, of_key=True).error("two-actions", said))
        return found[0]

    def _unknown(self, node: Map, key: str, *, needs_action: bool) -> None:
        place = spot(node, key, of_key=True)
        if needs_action:
            words = sorted(self.kinds | STEP_KEYS | frozenset(GROUPS))
            hint = did_you_mean(key, words) or f"known actions: {', '.join(sorted(self.kinds))}"
            self.problems.append(
                place.error("unknown-action", f'"{key}" is no action and no key of a step', hint)
            )
        else:
            hint = stray(node, key) or did_you_mean(key, sorted(STEP_KEYS))
            self.problems.append(place.error("unknown-key", f'unknown key "{key}"', hint))

    def _options(self, node: Map, kind: str) -> Map | None:
        """Return an action's options as a mapping: a bare scalar goes under its option."""
        if kind == "parallel":
            return node
        if kind in GROUPS:
            options = shorthand(node, kind, SHORTHANDS[kind])
            if options is None:
                self._expects(node, kind)
            elif kind == "each":
                validate(EachKeys, options, self.problems, references=True)
            elif kind == "include":
                validate(IncludeKeys, options, self.problems, references=True)
            return options
        return self.action(node, kind)

    def action(self, node: Map, kind: str) -> Map | None:
        """Return the checked options of the action at a key."""
        spec = registry.spec(kind)
        options = shorthand(node, kind, spec.shorthand)
        if options is None:
            self._expects(node, kind)
            return None
        if self._for_host and (kind == "check" or spec.needs_hosts):
            _this_host(options, looks=kind == "check")
        validate(spec.options, options, self.problems, references=True)
        return options

    def _expects(self, node: Map, kind: str) -> None:
        said = f'expected options of "{kind}", found {describe(node[kind])}'
        self.problems.append(spot(node, kind).error("type", said))

    def _children(self, node: Map, kind: str) -> tuple[Step, ...]:
        key = {"parallel": "parallel", "each": "steps"}.get(kind)
        if key is None:
            return ()
        nodes = node.get(key)
        if isinstance(nodes, Seq) and nodes:
            given = node.get(kind)
            self._for_host = kind == "each" and not (isinstance(given, Map) and "item" in given)
            try:
                return self._steps(nodes, inside=kind)
            finally:
                self._for_host = False
        place = spot(node, key) if key in node else spot(node, kind, of_key=True)
        self.problems.append(place.error("type", f'"{key}" must be a list of steps, not empty'))
        return ()

    def verify(self, node: Map) -> Verify | None:
        """Read a `verify`: the vocabulary of `check`."""
        if self._for_host:
            _this_host(node, looks=True)
        validate(LookOptions, node, self.problems, references=True)
        kind = next((kind for kind in LOOKS if kind in node), None)
        return Verify(kind, node) if kind else None

    def undo(self, node: Map) -> Undo | None:
        """Read an `undo`: one action with its options."""
        found = [key for key in node if key in self.kinds]
        for key in node:
            if key not in found:
                place = spot(node, key, of_key=True)
                hint = did_you_mean(key, sorted(self.kinds))
                self.problems.append(place.error("unknown-action", f'"{key}" is no action', hint))
        if len(found) != 1:
            if len(found) > 1 or not node:
                self.problems.append(spot(node).error("undo", "`undo` has exactly one action"))
            return None
        options = self.action(node, found[0])
        return Undo(found[0], options) if options is not None else None

    def _broken(self, node: Map) -> None:
        keys = _salvaged(node)
        if id_ := keys.id or slug(keys.name or ""):
            self.broken.add(id_)

    def _id(self, node: Map, keys: StepKeys, kind: str) -> str | None:
        if keys.id is not None:
            return keys.id
        made = slug(keys.name) if keys.name else kind
        if not made:
            said = f"no id can be made from the name {describe(keys.name)}"
            self.problems.append(spot(node, "name").error("id", said, "give the step an id"))
            return None
        return made

    def _keep(self, step: Step) -> None:
        first = self.ids.setdefault(step.id, step)
        if first is step and step.id not in TAKEN_IDS:
            return
        key = next((key for key in ("id", "name") if key in step.node), step.kind)
        place = spot(step.node, key)
        if step.id in TAKEN_IDS:
            said = f'the id "{step.id}" is taken: the command line asks for it by that name'
            self.problems.append(place.error("id", said, "give the step another id"))
        if first is not step:
            line = spot(first.node).line + 1
            made = (
                "" if key == "id" else f" (made from its {'name' if key == 'name' else 'action'})"
            )
            said = f'the id "{step.id}"{made} is already that of the step in line {line}'
            self.problems.append(place.error("duplicate-id", said, "give the step another id"))


def _this_host(options: Map, *, looks: bool) -> None:
    """Let options that name no hosts mean the host of the `each` that the step belongs to."""
    if looks:
        given = next((options[kind] for kind in ("ssh", "resources") if kind in options), None)
        if given is None or (isinstance(given, Map) and "hosts" in given):
            return
    options.setdefault("hosts", "${{ host }}")


def _salvaged(node: Map) -> StepKeys:
    """Return what can be kept of a step's keys when some are wrong."""
    id_, name = node.get("id"), node.get("name")
    return StepKeys(
        id=id_ if isinstance(id_, str) and re.fullmatch(ID, id_) else None,
        name=name if isinstance(name, str) and name else None,
    )


def shorthand(node: Map, kind: str, option: str | None) -> Map | None:
    """Return a key's value as a mapping of options, or None when it is nothing of the kind.

    The mapping made for a bare scalar keeps the scalar's place.
    """
    value: Any = node[kind]
    if isinstance(value, Map):
        return value
    if option is None or value is None or isinstance(value, Seq):
        return None
    made = Map({option: value})
    made.event = node.marks[kind][1]
    made.source = node.source
    made.marks = {option: node.marks[kind]}
    return made
