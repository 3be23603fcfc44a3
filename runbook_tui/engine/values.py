"""What a reference in a step stands for, at the moment when the step becomes ready.

Sources: the run's parameters, the step's environment, its secrets (read when first needed and never
kept in the record), outputs of steps that succeeded, and the run itself. A `Values` gives the real
value and, for everything that people and the journal see, the same with secrets masked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from runbook_tui.actions.api import Host
from runbook_tui.definition.ids import instance_id
from runbook_tui.definition.plan import Handed, Plan, PlanEnvironment, SecretSource
from runbook_tui.definition.references import Ref
from runbook_tui.definition.substitute import MissingValueError, fill_text
from runbook_tui.definition.values import wrong_value
from runbook_tui.engine.ports import SecretReader
from runbook_tui.engine.rollbacks import handed_on
from state.run_state import RunState, StepState
from state.status import StepStatus

MASK = "•••"


@dataclass(slots=True)
class SecretBox:
    """Secrets read so far in this session; each is asked for once an environment."""

    read: SecretReader
    known: dict[tuple[str, str], str] = field(default_factory=dict)
    sources: dict[tuple[str, str], SecretSource] = field(default_factory=dict)
    ever: dict[str, None] = field(default_factory=dict)
    """Every value that was read, in order: none may be shown, even when it is replaced."""

    def value(self, environment: str, source: SecretSource) -> str:
        """Return a secret's value. Raises SecretError with a sentence when it cannot be read."""
        key = (environment, source.name)
        if self.sources.setdefault(key, source) != source:
            # The definition has changed: elsewhere is another value.
            self.sources[key] = source
            self.known.pop(key, None)
        if key not in self.known:
            self.known[key] = self.read(source)
            self.ever[self.known[key]] = None
        return self.known[key]

    def read_anew(self, environment: PlanEnvironment) -> None:
        """Forget an environment's values, but those that a person typed in: one may be mended."""
        for source in environment.secrets.values():
            if source.kind != "prompt":
                self.known.pop((environment.name, source.name), None)

    def all(self, plan: Plan) -> tuple[str, ...]:
        """Return every value that no output may show."""
        given = [one.value for one in plan.parameters.values() if one.secret and one.value]
        given += [
            one.text
            for one in plan.handed.values()
            if one.parameter.secret and "${{" not in one.text
        ]
        return tuple(dict.fromkeys([*self.ever, *given]))


@dataclass(frozen=True, slots=True)
class Values:
    """The values that one step sees. `host` is the host whose sequence the step belongs to."""

    plan: Plan
    state: RunState
    environment: PlanEnvironment
    secrets: SecretBox
    operator: str
    host: Host | None = None
    item: str | None = None
    instance: str | None = None
    """The name in ids of the host or item that the step is for: `steps.x.y` is the same one's."""
    undone: RunState | None = None
    """When the step takes something back: the run that did it, whose outputs it sees."""

    def real(self, ref: Ref) -> str | None:
        """Return a reference's value, None when there is none. Raises MissingValueError."""
        if ref.kind == "secret":
            source = self.environment.secrets.get(ref.name)
            return None if source is None else self.secrets.value(self.environment.name, source)
        if ref.kind == "parameter":
            return self._parameter(ref)
        return self._plain(ref)

    def shown(self, ref: Ref) -> str | None:
        """Return what people may see of a value."""
        if ref.kind == "secret":
            return MASK
        if ref.kind == "parameter":
            return self._parameter_shown(ref)
        return self._plain(ref)

    def _parameter(self, ref: Ref) -> str | None:
        handed = self.plan.handed.get(ref.name)
        if handed is None:
            parameter = self.plan.parameters.get(ref.name)
            return None if parameter is None else parameter.value
        try:
            found = self._handed(handed, shown=False)
        except MissingValueError:
            if ref.default is None:
                raise
            return None
        if found and (wrong := wrong_value(handed.parameter, found)):
            raise MissingValueError(ref, f"${{{{ {ref.path} }}}} {wrong}")
        return found

    def _parameter_shown(self, ref: Ref) -> str | None:
        handed = self.plan.handed.get(ref.name)
        if handed is None:
            parameter = self.plan.parameters.get(ref.name)
            return None if parameter is None else MASK if parameter.secret else parameter.value
        if handed.parameter.secret:
            return MASK
        try:
            return self._handed(handed, shown=True)
        except MissingValueError:
            return None

    def _handed(self, handed: Handed, *, shown: bool) -> str:
        """Return what an included runbook is given, as seen where it is included."""
        if not handed.written:
            return handed.text
        there = replace(self, environment=self.plan.environments[handed.environment])
        return fill_text(handed.text, there.shown if shown else there.real)

    def _plain(self, ref: Ref) -> str | None:
        if ref.kind == "env":
            return self.environment.vars.get(ref.name)
        if ref.kind == "step":
            return self._output(ref)
        if ref.kind == "run":
            seen = self.undone or self.state
            return seen.run if ref.name == "id" else seen.started_at[:10]
        if ref.kind == "operator":
            return self.operator
        return self._of_host(ref) if ref.kind == "host" else self.item

    def _of_host(self, ref: Ref) -> str | None:
        if self.host is None:
            return None
        return {"user": self.host.user, "address": self.host.address}.get(ref.name, self.host.name)

    def _output(self, ref: Ref) -> str | None:
        seen = self.undone or self.state
        stands = at_instance(seen, ref.step or "", self.instance)
        if stands is None:
            return self._of_instances(ref, seen)
        return self._given(ref, stands)

    def _of_instances(self, ref: Ref, seen: RunState) -> str | None:
        """Return what a step repeated by `each` gave: for one of its hosts, or the same for all."""
        found = of_instances(seen, ref.step or "")
        if ref.host is not None and ref.host in found:
            return self._given(replace(ref, host=None), found[ref.host])
        given = {name: self._given(ref, stands) for name, stands in found.items()}
        if not given or None in given.values():
            return None
        return _agreed(ref, {name: value or "" for name, value in given.items()})

    def _given(self, ref: Ref, stands: StepState) -> str | None:
        if self.undone is None and stands.status is not StepStatus.SUCCEEDED:
            return None
        outputs, by_host = handed_on(stands)
        if ref.host is not None:
            return by_host.get(ref.host, {}).get(ref.name)
        given = {host: said[ref.name] for host, said in by_host.items() if ref.name in said}
        if self.host is not None and self.host.name in given:
            return given[self.host.name]
        if ref.name in outputs:
            return outputs[ref.name]
        return _agreed(ref, given) if given else _built_in(ref.name, stands)


def at_instance(state: RunState, step: str, instance: str | None) -> StepState | None:
    """Return a step by the id that it has in the file, seen from a step for a host or item."""
    if instance is not None and (own := state.steps.get(instance_id(step, instance))):
        return own
    return state.steps.get(step)


def of_instances(state: RunState, step: str) -> dict[str, StepState]:
    """Return the steps that `each` made of one, by host or item."""
    return {
        name: found
        for fixed in state.instances.values()
        for name in fixed.names
        if (found := state.steps.get(instance_id(step, name))) is not None
    }


def _agreed(ref: Ref, given: Mapping[str, str]) -> str:
    """Return what all hosts say; MissingValueError with the table when they differ."""
    if len(set(given.values())) == 1:
        return next(iter(given.values()))
    table = ", ".join(f"{host}: {value}" for host, value in given.items())
    raise MissingValueError(ref, f"${{{{ {ref.path} }}}} differs from host to host ({table})")


def _built_in(name: str, stands: StepState) -> str | None:
    last = stands.last
    if last is None:
        return None
    if name == "exit_code" and last.exit_code is not None:
        return str(last.exit_code)
    return last.verdict if name == "verdict" else None
