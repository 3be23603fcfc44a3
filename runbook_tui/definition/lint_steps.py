"""Checks of single steps: keys that fit their kind, hosts, order, confirmations, retries."""

from __future__ import annotations

import re
from typing import Any

from runbook_tui.definition import references
from runbook_tui.definition.model import Step, confirm_of
from runbook_tui.definition.problems import did_you_mean
from runbook_tui.definition.scope import Scope, spec_of
from runbook_tui.definition.tree import Map, Seq, Spot, describe, spot

_NOT_FOR: dict[str, frozenset[str]] = {
    "parallel": frozenset(
        [
            "confirm",
            "timeout",
            "retries",
            "verify",
            "undo",
            "no_return",
            "secret_files",
            "background",
            "on_failure",
        ]
    ),
    "each": frozenset(
        ["confirm", "timeout", "retries", "verify", "undo", "secret_files", "fail_fast"]
    ),
    "include": frozenset(
        ["timeout", "retries", "verify", "undo", "secret_files", "fail_fast", "background"]
    ),
    "join": frozenset(
        [
            "confirm",
            "timeout",
            "retries",
            "verify",
            "undo",
            "no_return",
            "secret_files",
            "fail_fast",
            "background",
            "on_failure",
        ]
    ),
}
_NOT_ALONE = frozenset({"fail_fast"})
_BATCH = re.compile(r"[1-9]\d*|[1-9]\d?%|100%")


class StepCheck:
    """Checks the steps of one runbook, in order."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.problems = scope.problems
        self.earlier: dict[str, Step] = {}

    def step(self, step: Step, in_: str | None, *, inside: bool = False) -> None:
        """Check one step, groups before their own steps, in order. `inside`: of a group."""
        self._keys(step)
        if step.keys.background and inside:
            said = "a step of a group runs with its group, not in the background"
            self._problem(step, "background", said)
        if step.keys.background and not self._reads(step):
            self._problem(step, "background", f'"{step.kind}" changes things and cannot run aside')
        if confirm_of(step.keys) == "approval":
            said = "an approval needs a journal on PostgreSQL; on SQLite the run is refused"
            self.problems.append(self._spot(step, "confirm").warning("approval", said))
        self._retries(step)
        if step.kind == "join":
            self._earlier(step, "join", step.options.get("join"), "background")
        if step.kind == "wait" and "since" in step.options:
            self._earlier(step, "since", step.options["since"], None)
        if step.kind == "each":
            self._each(step)
        self._hosts(step, step.options, in_)
        self._when(step)
        self.earlier[step.id] = step

    def _keys(self, step: Step) -> None:
        for key in _NOT_FOR.get(step.kind, _NOT_ALONE) & step.node.keys():
            self._problem(step, key, f'"{key}" does not go with "{step.kind}"')
        if spec_of(step.kind) is not None and step.undo and self._reads(step):
            said = f'"{step.kind}" changes nothing, so its undo is never used'
            self.problems.append(self._spot(step, "undo", of_key=True).warning("undo", said))

    def _reads(self, step: Step) -> bool:
        if step.kind in ("parallel", "each"):
            return bool(step.children) and all(map(self._reads, step.children))
        spec = spec_of(step.kind)
        return spec is not None and not spec.changes

    def _retries(self, step: Step) -> None:
        retries = step.keys.retries
        spec = spec_of(step.kind)
        if retries is None or spec is None:
            return
        node = step.node.get("retries")
        for index, cause in enumerate(retries.on):
            if cause not in spec.causes and isinstance(node, Map):
                inner = node["on"]
                place = spot(inner, index) if isinstance(inner, Seq) else spot(node, "on")
                said = f'"{step.kind}" knows no cause "{cause}"'
                hint = did_you_mean(cause, spec.causes) or "leave `on` out"
                self.problems.append(place.error("cause", said, hint))
        if step.kind in ("run", "ssh") and step.verify is None and retries.times:
            said = f'"{step.kind}" without `verify` is never retried by itself'
            hint = "nobody could tell whether it had an effect: add a `verify`"
            place = self._spot(step, "retries", of_key=True)
            self.problems.append(place.warning("retries", said, hint))

    def _earlier(self, step: Step, key: str, id_: object, flag: str | None) -> None:
        if not isinstance(id_, str) or "${{" in id_:
            return
        found = self.earlier.get(id_)
        place = spot(step.options, key)
        if found is None and id_ in self.scope.runbook.broken:
            return
        if found is None:
            later = any(other.id == id_ for other in self.scope.runbook.steps())
            said = f'the step "{id_}" comes later' if later else f'there is no step "{id_}"'
            hint = did_you_mean(id_, list(self.earlier))
            self.problems.append(place.error("unknown-step", said, hint))
        elif flag and not found.keys.background:
            said = f'the step "{id_}" does not run in the background'
            self.problems.append(place.error("join", said, "give it `background: true`"))

    def _each(self, step: Step) -> None:
        options = step.options
        if ("host" in options) == ("item" in options):
            said = "`each` has one of `host` and `item`"
            self.problems.append(spot(options).error("each", said))
        batch = options.get("batch", 1)
        if not _BATCH.fullmatch(str(batch)) and "${{" not in str(batch):
            said = f"{describe(batch)} is no batch; expected a number or a share such as 25%"
            self.problems.append(spot(options, "batch").error("value", said))

    def _hosts(self, step: Step, options: Any, in_: str | None) -> None:
        """Check that named hosts and groups are in the inventory of every environment."""
        spec = spec_of(step.kind)
        key = "host" if step.kind == "each" else spec.hosts if spec else None
        if key is None or not isinstance(options, Map) or key not in options.marks:
            return
        given = options[key]
        named = [(given, spot(options, key))]
        if isinstance(given, Seq):
            named = [(name, spot(given, index)) for index, name in enumerate(given)]
        for name, place in named:
            if isinstance(name, str) and "${{" not in name:
                self._host(name, place, in_)

    def _host(self, name: str, place: Spot, in_: str | None) -> None:
        environments = self.scope.environments
        if environments is None:
            return
        targets = self.scope.targets(in_)
        missing = {
            target.name
            for target in targets.values()
            if name not in target.groups and target.host(name) is None
        }
        if environments and not missing:
            return
        known = {group for target in targets.values() for group in target.groups}
        known |= {
            host.name
            for target in targets.values()
            for hosts in target.groups.values()
            for host in hosts
        }
        where = f" of {', '.join(sorted(missing))}" if missing else ": there are no environments"
        said = f'"{name}" is no host or group in the inventory{where}'
        self.problems.append(place.error("unknown-host", said, did_you_mean(name, sorted(known))))

    def _when(self, step: Step) -> None:
        node = step.node.get("when")
        for condition in _conditions(node):
            self.condition(condition)

    def condition(self, node: Map) -> None:
        """Check a condition on an earlier step."""
        id_ = node.get("step")
        if not isinstance(id_, str):
            return
        found = self.earlier.get(id_)
        if found is None and id_ in self.scope.runbook.broken:
            return
        if found is None:
            later = any(other.id == id_ for other in self.scope.runbook.steps())
            said = f'the step "{id_}" comes later' if later else f'there is no step "{id_}"'
            hint = did_you_mean(id_, list(self.earlier))
            self.problems.append(spot(node, "step").error("unknown-step", said, hint))
            return
        chose = node.get("chose")
        if not isinstance(chose, str):
            return
        choices = found.options.get("choices") if found.kind == "manual" else None
        known = list(choices) if isinstance(choices, Map) else []
        if chose not in known:
            said = f'the step "{id_}" has no choice "{chose}"'
            self.problems.append(
                spot(node, "chose").error("unknown-choice", said, did_you_mean(chose, known))
            )

    def in_(self, in_: str | None, place: Spot) -> None:
        """Check the environment that a step or phase is `in`."""
        environments = self.scope.environments
        if in_ is None or environments is None:
            return
        refs, faults = references.scan(in_)
        if faults or (refs and (len(refs) != 1 or refs[0].kind != "env" or in_.strip() != in_)):
            said = "`in` names an environment, or is one reference to a variable of it"
            self.problems.append(place.error("environment", said))
            return
        if not refs:
            if in_ not in environments:
                said = f'there is no environment "{in_}"'
                hint = did_you_mean(in_, list(environments))
                self.problems.append(place.error("unknown-environment", said, hint))
            return
        for home in environments.values():
            wanted = home.vars.get(refs[0].name) or refs[0].default
            if wanted is not None and wanted not in environments:
                said = f'{refs[0].path} is "{wanted}" in {home.name}, which is no environment'
                hint = did_you_mean(wanted, list(environments))
                self.problems.append(place.error("unknown-environment", said, hint))

    def _problem(self, step: Step, key: str, said: str) -> None:
        self.problems.append(self._spot(step, key, of_key=True).error("key", said))

    def _spot(self, step: Step, key: str, *, of_key: bool = False) -> Spot:
        return spot(step.node, key, of_key=of_key) if key in step.node else spot(step.node)


def _conditions(node: object) -> list[Map]:
    if isinstance(node, Map):
        inner = node.get("any")
        return _conditions(inner) if isinstance(inner, Seq) else [node]
    return [inner for inner in node if isinstance(inner, Map)] if isinstance(node, Seq) else []
