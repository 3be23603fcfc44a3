"""What a reference in a step stands for, at the moment when the step becomes ready.

Sources: the run's parameters, the step's environment, its secrets (read when first needed and never
kept in the record), outputs of steps that succeeded, and the run itself. A `Values` gives the real
value and, for everything that people and the journal see, the same with secrets masked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runbook_tui.actions.api import Host
from runbook_tui.definition.plan import Plan, PlanEnvironment, SecretSource
from runbook_tui.definition.references import Ref
from runbook_tui.definition.substitute import MissingValueError
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
    ever: dict[str, None] = field(default_factory=dict)
    """Every value that was read, in order: none may be shown, even when it is replaced."""

    def value(self, environment: str, source: SecretSource) -> str:
        """Return a secret's value. Raises SecretError with a sentence when it cannot be read."""
        key = (environment, source.name)
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
    undone: RunState | None = None
    """When the step takes something back: the run that did it, whose outputs it sees."""

    def real(self, ref: Ref) -> str | None:
        """Return a reference's value, None when there is none. Raises MissingValueError."""
        if ref.kind == "secret":
            source = self.environment.secrets.get(ref.name)
            return None if source is None else self.secrets.value(self.environment.name, source)
        if ref.kind == "parameter":
            parameter = self.plan.parameters.get(ref.name)
            return None if parameter is None else parameter.value
        return self._plain(ref)

    def shown(self, ref: Ref) -> str | None:
        """Return what people may see of a value."""
        if ref.kind == "secret":
            return MASK
        if ref.kind == "parameter":
            parameter = self.plan.parameters.get(ref.name)
            return None if parameter is None else MASK if parameter.secret else parameter.value
        return self._plain(ref)

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
        return self._of_host(ref) if ref.kind == "host" else None

    def _of_host(self, ref: Ref) -> str | None:
        if self.host is None:
            return None
        return {"user": self.host.user, "address": self.host.address}.get(ref.name, self.host.name)

    def _output(self, ref: Ref) -> str | None:
        stands = (self.undone or self.state).steps.get(ref.step or "")
        if stands is None:
            return None
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
