"""What the checks across parts share: the runbook, where its steps run, and the findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from runbook_tui.actions import registry
from runbook_tui.actions.api import Spec
from runbook_tui.definition import references
from runbook_tui.definition.environments import Environment
from runbook_tui.definition.lint_includes import Part
from runbook_tui.definition.model import Parameter, Runbook, Step, relative
from runbook_tui.definition.problems import Problem
from runbook_tui.definition.tree import Map, Seq, Spot, spot

BUILT_IN_OUTPUTS = frozenset({"exit_code", "verdict", "choice"})


@dataclass(slots=True)
class Scope:
    """One runbook under check, read from `file`. `environments` is None when they could not be
    read. `parts` are the steps of a whole run by their ids in it, those of includes among them.
    """

    file: str
    runbook: Runbook
    environments: Mapping[str, Environment] | None
    others: Mapping[str, Runbook]
    problems: list[Problem]
    parts: Mapping[str, Part]
    seen: set[tuple[object, ...]] = field(default_factory=set)
    _targets: dict[str | None, dict[str, Environment]] = field(default_factory=dict)

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The runbook's parameters."""
        return self.runbook.parameters

    def other(self, file: object) -> Runbook | None:
        """Return the runbook that this one names, None when it could not be read."""
        return self.others.get(relative(self.file, file)) if isinstance(file, str) else None

    def own(self) -> dict[str, Step]:
        """Return this file's steps by their ids in a run; each may have several."""
        return {id_: one.step for id_, one in self.parts.items() if one.file == self.file}

    def outputs_of(self, step: Step) -> frozenset[str] | None:
        """Return the names that a step gives; None when nobody can tell (its options are wrong)."""
        if step.kind == "include":
            included = self.other(step.options.get("file"))
            return frozenset(included.header.outputs) if included else None
        spec = spec_of(step.kind)
        if spec is None:
            return frozenset()
        if not step.sound:
            return None
        return frozenset(spec.outputs(step.options)) | BUILT_IN_OUTPUTS

    def once(self, *key: object) -> bool:
        """Tell whether this is the first time that something is asked for."""
        if key in self.seen:
            return False
        self.seen.add(key)
        return True

    def targets(self, in_: str | None) -> dict[str, Environment]:
        """Return the environment of a step for each environment that a run may be started in."""
        if in_ not in self._targets:
            self._targets[in_] = self._find_targets(in_)
        return self._targets[in_]

    def _find_targets(self, in_: str | None) -> dict[str, Environment]:
        known = self.environments or {}
        if in_ is None:
            return dict(known)
        refs, _ = references.scan(in_)
        found: dict[str, Environment] = {}
        for name, home in known.items():
            wanted = (home.vars.get(refs[0].name) or refs[0].default or "") if refs else in_
            if wanted in known:
                found[name] = known[wanted]
        return found


@cache
def spec_of(kind: str) -> Spec | None:
    """Return an action's spec; None for the kinds that only group or include steps."""
    return registry.spec(kind) if kind in registry.kinds() else None


@cache
def scripts_of(kind: str) -> frozenset[tuple[str, ...]]:
    """Return the paths of an action's options that hold shell text."""
    spec = spec_of(kind)
    return frozenset(tuple(path.split(".")) for path in spec.scripts) if spec else frozenset()


@cache
def per_host_of(kind: str) -> frozenset[tuple[str, ...]]:
    """Return the paths of an action's scripts that run on each of its hosts."""
    spec = spec_of(kind)
    return frozenset(tuple(path.split(".")) for path in spec.per_host) if spec else frozenset()


def texts(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, Spot]]:
    """Yield every text that holds `${{` in a part of the tree, with its path and place."""
    if isinstance(node, Map):
        for key, value in node.items():
            if isinstance(value, str):
                if "${{" in value and key in node.marks:
                    yield (*path, key), value, spot(node, key)
            elif isinstance(value, Map | Seq):
                yield from texts(value, (*path, key))
    elif isinstance(node, Seq):
        for index, value in enumerate(node):
            if isinstance(value, str):
                if "${{" in value:
                    yield path, value, spot(node, index)
            elif isinstance(value, Map | Seq):
                yield from texts(value, path)


def keys_with_references(node: Any) -> Iterator[Spot]:
    """Yield the places of keys that hold `${{`."""
    if isinstance(node, Map):
        for key, value in node.items():
            if "${{" in key and key in node.marks:
                yield spot(node, key, of_key=True)
            if isinstance(value, Map | Seq):
                yield from keys_with_references(value)
    elif isinstance(node, Seq):
        for value in node:
            if isinstance(value, Map | Seq):
                yield from keys_with_references(value)


def at(options: Map, path: tuple[str, ...]) -> object:
    """Return what stands at a path of keys, None when there is nothing."""
    value: object = options
    for key in path:
        value = value.get(key) if isinstance(value, Map) else None
    return value
