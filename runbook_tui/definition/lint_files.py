"""Runbooks that name others: the values that a rollback or an include is given."""

from __future__ import annotations

from collections.abc import Mapping

from runbook_tui.definition import references
from runbook_tui.definition.lint_references import Available, ReferenceCheck
from runbook_tui.definition.model import Runbook
from runbook_tui.definition.problems import did_you_mean
from runbook_tui.definition.scope import Scope, texts
from runbook_tui.definition.tree import Map, Spot, spot
from runbook_tui.definition.values import wrong_value


class FileCheck:
    """Checks `with` of the rollback runbook and of includes, and `outputs`."""

    def __init__(self, scope: Scope, references: ReferenceCheck) -> None:
        self.scope = scope
        self.references = references

    def run(self, outputs: Mapping[str, frozenset[str] | None], *, main: bool) -> None:
        """Check all; `outputs` are those of the whole runbook."""
        node = self.scope.runbook.node
        if isinstance(node.get("outputs"), Map):
            for _, text, place in texts(node["outputs"]):
                found = self.references.text(text, place, Available(outputs), None)
                self.references.journaled(found, "an output is journaled")
        rollback = self.scope.runbook.rollback
        if main and rollback is not None:
            given = node["rollback"]
            place = spot(given, "file") if isinstance(given, Map) else spot(node, "rollback")
            inner = given.get("with") if isinstance(given, Map) else None
            self._rollback(rollback.file, inner, place, outputs)
        for step in self.scope.runbook.steps():
            other = self.scope.other(step.options.get("file")) if step.kind == "include" else None
            if other is not None:
                inner = step.options.get("with")
                self._given(other, inner, spot(step.options, "file"), {})
                self._values(other, inner)

    def _rollback(
        self,
        file: str,
        given: object,
        place: Spot,
        outputs: Mapping[str, frozenset[str] | None],
    ) -> None:
        if isinstance(given, Map):
            for _, text, here in texts(given):
                found = self.references.text(text, here, Available(outputs), None)
                for ref, at in found:
                    secret = self.references.is_secret(ref)
                    if secret or ref.kind in ("run", "operator"):
                        said = f"{ref.path} cannot be handed on: use it in the rollback runbook"
                        code = "secret" if secret else "reference"
                        self.scope.problems.append(at.error(code, said))
        if (other := self.scope.other(file)) is not None:
            self._given(other, given, place, self.scope.parameters)
            self._undo_ids(other)

    def _undo_ids(self, other: Runbook) -> None:
        """Steps of the rollback runbook may not have the ids of the undo steps before them."""
        taken = {f"undo-{step.id}" for step in self.scope.runbook.steps() if step.undo}
        for step in other.steps():
            if step.id in taken:
                key = next((key for key in ("id", "name") if key in step.node), step.kind)
                said = f'the id "{step.id}" is that of an undo step in the same rollback'
                self.scope.problems.append(spot(step.node, key).error("duplicate-id", said))

    def _given(
        self, other: Runbook, given: object, place: Spot, inherited: Mapping[str, object]
    ) -> None:
        names = given if isinstance(given, Map) else {}
        for name in names:
            if name not in other.parameters and isinstance(given, Map):
                said = f'"{other.name}" has no parameter "{name}"'
                hint = did_you_mean(name, list(other.parameters))
                self.scope.problems.append(
                    spot(given, name, of_key=True).error("unknown-parameter", said, hint)
                )
        for name, parameter in other.parameters.items():
            if parameter.default is None and name not in names and name not in inherited:
                said = f'"{other.name}" needs the parameter "{name}"'
                self.scope.problems.append(
                    place.error("missing-parameter", said, f"give it: with: {{{name}: …}}")
                )

    def _values(self, other: Runbook, given: object) -> None:
        """Check what an included runbook is given: literal values, and where secrets go."""
        if not isinstance(given, Map):
            return
        for name, value in given.items():
            parameter = other.parameters.get(name)
            if parameter is None or not isinstance(value, str):
                continue
            refs, _ = references.scan(value)
            place = spot(given, name)
            if any(map(self.references.is_secret, refs)) and not parameter.secret:
                said = f'"{name}" would hold a secret, but {other.name} does not keep it secret'
                hint = f"mark the parameter in its file: {name}: {{secret: true}}"
                self.scope.problems.append(place.error("secret", said, hint))
            elif parameter.secret and not refs:
                said = f'"{name}" is secret: its value would stand in the file'
                hint = "hand on a secret: ${{ secrets.NAME }}"
                self.scope.problems.append(place.error("secret", said, hint))
            elif "${{" not in value and (wrong := wrong_value(parameter, value)):
                self.scope.problems.append(place.error("value", f'"{name}" {wrong}'))
