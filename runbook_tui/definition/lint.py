"""What is wrong with a runbook that is well formed: all checks across its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from runbook_tui.definition import references
from runbook_tui.definition.environments import Environment
from runbook_tui.definition.lint_environments import OverlayCheck
from runbook_tui.definition.lint_files import FileCheck
from runbook_tui.definition.lint_includes import parts
from runbook_tui.definition.lint_references import (
    EACH_HOST,
    HOST_AT_HAND,
    Available,
    ReferenceCheck,
    in_argument,
)
from runbook_tui.definition.lint_scripts import ScriptCheck
from runbook_tui.definition.lint_steps import StepCheck
from runbook_tui.definition.model import Phase, Runbook, Step
from runbook_tui.definition.overlays import Overlaid
from runbook_tui.definition.problems import Problem
from runbook_tui.definition.scope import (
    Scope,
    at,
    keys_with_references,
    per_host_of,
    scripts_of,
    texts,
)
from runbook_tui.definition.tree import Map, Seq, Spot, spot

_FIXED_TEXTS = ("name", "no_return", "ref", "links")
_PEOPLE_READ = {"manual": ("text", "record", "choices")}


def lint(
    main: str,
    runbook: Runbook,
    environments: Mapping[str, Environment] | None,
    others: Mapping[str, Runbook],
    problems: list[Problem],
) -> None:
    """Check a runbook, read from `main`, and the files it names; add what is wrong to `problems`.

    `environments` are empty for a runbook without any and None when they could not be read.
    """
    known = parts(main, runbook, others, problems)
    for file, each in {main: runbook, **others}.items():
        scope = Scope(file, each, environments, others, problems, known)
        _Lint(scope, main=each is runbook).run()


class _Lint:
    def __init__(self, scope: Scope, *, main: bool) -> None:
        self.scope = scope
        self.main = main
        self.references = ReferenceCheck(scope)
        self.steps = StepCheck(scope)
        self.overlays = OverlayCheck(scope)
        self.scripts = ScriptCheck(self.references, self.references.by_id)
        self.outputs: dict[str, frozenset[str] | None] = {}

    def run(self) -> None:
        runbook = self.scope.runbook
        self._fixed(runbook.node, ("runbook", "description", "links", "requires"))
        self.overlays.all()
        if self.main:
            self.overlays.strangers(inline=isinstance(runbook.node.get("environments"), Map))
        for phase in runbook.phases:
            self._phase(phase)
        FileCheck(self.scope, self.references).run(self.outputs, main=self.main)

    def _phase(self, phase: Phase) -> None:
        self._fixed(phase.node, ("phase",))
        if phase.in_ is not None:
            self.steps.in_(phase.in_, spot(phase.node, "in"))
            self._check(phase.node, "in", Available(self.outputs), None)
        self._when(phase.node, Available(self.outputs), phase.in_)
        for step in phase.steps:
            self._step(step, phase.in_)

    def _step(self, step: Step, in_: str | None, outer: Available | None = None) -> None:
        in_ = self._in(step, in_)
        before = outer or Available(self.outputs)
        available = Available(before.steps, before.host, before.item)
        self.steps.step(step, in_, inside=outer is not None)
        self._fixed(step.node, _FIXED_TEXTS)
        self._when(step.node, available, in_)
        if step.children:
            self._children(step, in_, available)
            return
        self._body(step, in_, available)
        self.outputs[step.id] = self.scope.outputs_of(step)
        for id_, laid in self.overlays.of(step):
            for name, one in laid.items():
                self._overlay(id_, one, name, available)

    def _in(self, step: Step, in_: str | None) -> str | None:
        if step.keys.in_ is None:
            return in_
        self.steps.in_(step.keys.in_, spot(step.node, "in"))
        self._check(step.node, "in", Available(self.outputs), None)
        return step.keys.in_

    def _children(self, step: Step, in_: str | None, available: Available) -> None:
        if step.kind == "parallel":
            before, self.outputs = self.outputs, {}
            for child in step.children:
                self._step(child, in_, Available(before, available.host, available.item))
            before.update(self.outputs)
            self.outputs = before
            return
        for _, text, place in texts(step.options):
            found = self.references.text(text, place, Available(self.outputs), in_)
            for ref, here in found:
                if self.references.is_secret(ref):
                    said = "the list of an `each` is journaled, so it cannot hold a secret"
                    self.scope.problems.append(here.error("secret", said))
        host = EACH_HOST if "host" in step.options else frozenset()
        each = Available(self.outputs, host, "item" in step.options)
        for child in step.children:
            self._step(child, in_, each)

    def _body(self, step: Step, in_: str | None, available: Available) -> None:
        """Check references in a step's options, help, verify and undo."""
        self._options(step.kind, step.options, available, in_)
        if "help" in step.node:
            found = self._check(step.node, "help", available, in_)
            self.references.shown(found, "help")
        self._secret_files(step, in_)
        if step.verify is None and step.undo is None:
            return
        own = {step.id: self.scope.outputs_of(step)}
        after = replace(available, own=own)
        if step.verify is not None and isinstance(step.verify.options, Map):
            self._options("check", step.verify.options, after, in_)
        if step.undo is not None and isinstance(step.undo.options, Map):
            self._options(step.undo.action, step.undo.options, after, in_)

    def _overlay(self, id_: str, laid: Overlaid, environment: str, available: Available) -> None:
        """Check references that an environment lays over a step, as in that environment."""
        step = laid.step
        own = (self.scope.environments or {})[environment].overlays[id_]
        given = own.get(step.kind)
        if isinstance(given, Map):
            self._options(step.kind, given, available, environment)
        elif isinstance(given, str) and laid.options is not None:
            self._options(step.kind, laid.options, available, environment)
        for key, kind in (("verify", "check"), ("undo", step.undo.action if step.undo else "")):
            if isinstance(own.get(key), Map) and kind:
                node = own[key] if key == "verify" else step.undo and step.undo.options
                if isinstance(node, Map):
                    self._options(kind, node, available, environment)

    def _options(self, kind: str, options: Map, available: Available, in_: str | None) -> None:
        scripts = scripts_of(kind)
        read = _PEOPLE_READ.get(kind, ())
        at_hand = replace(available, host=available.host or HOST_AT_HAND)
        for path, text, place in texts(options):
            known = at_hand if path in per_host_of(kind) else available
            found = self.references.text(text, place, known, in_)
            if path in scripts and isinstance(at(options, path), str):
                holder = at(options, path[:-1])
                if isinstance(holder, Map):
                    self.scripts.script(text, found, holder, in_)
            if path[:1] and path[0] in read:
                self.references.shown(found, "this")
            if in_argument(path):
                self._arguments(found)
        for place in keys_with_references(options):
            said = "a key cannot hold a reference"
            self.scope.problems.append(place.error("reference", said))
        for path in scripts:
            self.scripts.cut_off(options, path)

    def _arguments(self, found: list[tuple[references.Ref, Spot]]) -> None:
        for ref, here in found:
            if self.references.is_secret(ref):
                said = f"the secret {ref.name} would become an argument, which every user can read"
                hint = "pass it with `env`, `stdin` or `secret_files`"
                self.scope.problems.append(here.error("secret-argument", said, hint))

    def _check(
        self, node: Map, key: str, available: Available, in_: str | None
    ) -> list[tuple[references.Ref, Spot]]:
        value = node.get(key)
        if not isinstance(value, str) or "${{" not in value:
            return []
        return self.references.text(value, spot(node, key), available, in_)

    def _when(self, node: Map, available: Available, in_: str | None) -> None:
        condition = node.get("when")
        holder: Map | Seq | None = condition if isinstance(condition, Map | Seq) else None
        if holder is None:
            found = self._check(node, "when", available, in_)
        else:
            found = [
                pair
                for _, text, place in texts(holder)
                for pair in self.references.text(text, place, available, in_)
            ]
        for ref, here in found:
            if ref.kind == "parameter" and self.references.is_secret(ref):
                said = "a condition is journaled with its value, so it cannot look at a secret"
                self.scope.problems.append(here.error("secret", said))

    def _fixed(self, node: Map, keys: tuple[str, ...]) -> None:
        """Refuse references in texts that are the same in every run."""
        for key in keys:
            value = node.get(key)
            inner = value if isinstance(value, Map | Seq) else None
            found = [place for _, _, place in texts(inner)] if inner is not None else []
            if isinstance(value, str) and "${{" in value:
                found.append(spot(node, key))
            for place in found:
                said = f'"{key}" is the same in every run; it cannot hold references'
                self.scope.problems.append(place.inside(0).error("reference", said))

    def _secret_files(self, step: Step, in_: str | None) -> None:
        node = step.node.get("secret_files")
        for index, name in enumerate(step.keys.secret_files):
            place = spot(node, index) if isinstance(node, Seq) else spot(step.node, "secret_files")
            ref = references.make(f"secrets.{name}")
            if isinstance(ref, str):
                said = f'"{name}" is no name of a secret'
                self.scope.problems.append(place.error("secret", said))
            else:
                self.references.reference(ref, place, Available({}), in_)
