"""References: each must name something that exists, is available there, and may be shown there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from runbook_tui.definition import references
from runbook_tui.definition.model import Step
from runbook_tui.definition.problems import did_you_mean, nearest
from runbook_tui.definition.references import Ref
from runbook_tui.definition.scope import Scope
from runbook_tui.definition.tree import Spot

ARGUMENTS = frozenset({"argv", "command"})
"""Options whose entries become arguments of a process, which every user can read."""


EACH_HOST: Final = frozenset({"", "user", "address"})
"""What of `host` has a value in the steps of an `each`."""
HOST_AT_HAND: Final = frozenset({"", "address"})
"""What of it has one in a script that runs on several hosts."""


@dataclass(frozen=True, slots=True)
class Available:
    """What a step's references may use: outputs of earlier steps, `host` and `item`.

    `host` says what of a host is known: EACH_HOST, HOST_AT_HAND or nothing.
    """

    steps: Mapping[str, frozenset[str] | None]
    host: frozenset[str] = frozenset()
    item: bool = False
    own: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    """The step's own outputs, for its `verify` and `undo`."""


class ReferenceCheck:
    """Checks references of one runbook."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.problems = scope.problems
        self.order = {step.id: index for index, step in enumerate(scope.runbook.steps())}
        self.by_id = {step.id: step for step in scope.runbook.steps()}

    def text(
        self, text: str, place: Spot, available: Available, in_: str | None
    ) -> list[tuple[Ref, Spot]]:
        """Check the references of a text; return them with their places."""
        refs, faults = references.scan(text)
        for fault in faults:
            self.problems.append(place.inside(fault.nth).error("reference", fault.message))
        starts = _nths(text, [ref.start for ref in refs])
        found = [(ref, place.inside(nth)) for ref, nth in zip(refs, starts, strict=True)]
        for ref, here in found:
            self.reference(ref, here, available, in_)
        return found

    def reference(self, ref: Ref, here: Spot, available: Available, in_: str | None) -> None:
        """Check one reference in a step whose environment is `in_`."""
        match ref.kind:
            case "parameter":
                self._parameter(ref, here)
            case "env" | "secret":
                self._variable(ref, here, in_)
            case "step":
                self._step(ref, here, available)
            case "host" if ref.name not in available.host:
                said = (
                    f"{ref.path} has no value here: it belongs to the steps of `each: {{host: …}}`"
                )
                if ref.name in HOST_AT_HAND:
                    said += " and to scripts of `ssh`"
                self.problems.append(here.error("unavailable", said))
            case "item" if not available.item:
                said = "item has no value here: it belongs to the steps of `each: {item: …}`"
                self.problems.append(here.error("unavailable", said))

    def is_secret(self, ref: Ref) -> bool:
        """Tell whether a reference's value is secret."""
        if ref.kind == "secret":
            return True
        parameter = self.scope.parameters.get(ref.name) if ref.kind == "parameter" else None
        return parameter is not None and parameter.secret

    def _parameter(self, ref: Ref, here: Spot) -> None:
        known = self.scope.parameters
        if ref.name in known:
            return
        said = f'there is no parameter "{ref.name}"'
        environments = self.scope.environments or {}
        if any(ref.name in environment.vars for environment in environments.values()):
            hint = f"did you mean env.{ref.name}?"
        else:
            hint = did_you_mean(ref.name, list(known)) or "the runbook has no parameters"
        self.problems.append(here.error("unknown-reference", said, hint))

    def _variable(self, ref: Ref, here: Spot, in_: str | None) -> None:
        environments = self.scope.environments
        if environments is None or not self.scope.once(
            ref.kind, ref.name, in_, ref.default is None
        ):
            return
        if not environments:
            said = f"{ref.path} has no value: the runbook has no environments"
            self.problems.append(here.error("unknown-reference", said))
            return
        targets = self.scope.targets(in_).values()
        missing = [
            target.name
            for target in targets
            if ref.name not in (target.vars if ref.kind == "env" else target.secrets)
        ]
        if not missing or ref.default is not None:
            return
        known = {
            name
            for target in environments.values()
            for name in (target.vars if ref.kind == "env" else target.secrets)
        }
        where = ", ".join(dict.fromkeys(missing))
        said = f"{ref.path} is not defined in {where}"
        if ref.name in known:
            hint = "each environment must define it, or the reference needs a default"
        else:
            hint = did_you_mean(ref.name, sorted(known))
        self.problems.append(here.error("undefined", said, hint))

    def _step(self, ref: Ref, here: Spot, available: Available) -> None:
        step = ref.step or ""
        if step in self.scope.runbook.broken:
            return
        earlier = available.own if step in available.own else available.steps
        if step not in earlier:
            self._no_step(ref, here, available)
            return
        names = earlier[step]
        if names is not None and ref.name not in names:
            said = f'the step "{step}" gives no output "{ref.name}"'
            hint = did_you_mean(ref.name, sorted(names))
            self.problems.append(here.error("unknown-reference", said, hint))
        if ref.host is not None and self.scope.environments:
            known = {
                host.name
                for environment in self.scope.environments.values()
                for hosts in environment.groups.values()
                for host in hosts
            }
            if ref.host not in known:
                said = f'"{ref.host}" is no host of the inventory'
                hint = did_you_mean(ref.host, sorted(known))
                self.problems.append(here.error("unknown-host", said, hint))

    def _no_step(self, ref: Ref, here: Spot, available: Available) -> None:
        step = ref.step or ""
        if step in self.by_id:
            kind = self.by_id[step].kind
            if kind in ("parallel", "each"):
                said = f'"{step}" is a group; its steps have outputs, it has none'
            else:
                said = (
                    f'the output of "{step}" is not available yet: it can be used after that step'
                )
                if kind and _same_group(self.by_id[step], self.scope):
                    said += ", and not inside the same parallel group"
            self.problems.append(here.error("unavailable", said))
            return
        said = f'there is no step "{step}"'
        near = nearest(step, self.by_id)
        hint = f'did you mean "{near}"?' if near else ""
        self.problems.append(here.error("unknown-reference", said, hint))

    def shown(self, found: list[tuple[Ref, Spot]], what: str) -> None:
        """Refuse secrets in what the operator reads."""
        for ref, here in found:
            if self.is_secret(ref):
                said = f"a secret would be shown on the screen: {what} is for people to read"
                self.problems.append(here.error("secret", said))

    def journaled(self, found: list[tuple[Ref, Spot]], why: str) -> None:
        """Refuse secrets in what is kept with its value."""
        for ref, here in found:
            if self.is_secret(ref):
                self.problems.append(here.error("secret", f"{why}, so it cannot hold a secret"))


def _same_group(step: Step, scope: Scope) -> bool:
    return any(
        step in group.children for group in scope.runbook.steps() if group.kind == "parallel"
    )


def _nths(text: str, starts: list[int]) -> list[int]:
    """Return, for references by their start, how many `${{` stand before each."""
    return [text.count("${{", 0, start) for start in starts]


def in_argument(path: tuple[str, ...]) -> bool:
    """Tell whether the option at a path becomes an argument of a process."""
    return bool(path) and path[-1] in ARGUMENTS
