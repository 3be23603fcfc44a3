"""Makes a step, or a look at it, into an order for a worker: every value filled in and checked.

Values never become shell text: in the options that an action calls scripts, references turn into
environment variables. The masked twin of the options is what people see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from runbook_tui.actions import registry
from runbook_tui.actions.api import HERE, Host, Job, Spec
from runbook_tui.actions.shared import host_fields
from runbook_tui.definition import references
from runbook_tui.definition.plan import PlanEnvironment, PlanHost, PlanStep
from runbook_tui.definition.references import Ref, ReferenceSyntaxError
from runbook_tui.definition.script import bind
from runbook_tui.definition.substitute import Lookup, MissingValueError, fill, fill_text
from runbook_tui.engine.ports import Mode, Order
from runbook_tui.engine.values import MASK, Values
from runbook_tui.secrets import SecretError
from state.run_state import AttemptState
from state.status import AttemptStatus

CHECK = "check"
"""The action that performs what `verify` says: both have the same vocabulary."""


class NotReadyError(Exception):
    """A step cannot begin, because of a value. `sentence` names the step, the value and why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be ordered: an action with its options, for a step."""

    step: PlanStep
    action: str
    options: Mapping[str, Any]
    mode: Mode = "perform"


def act_of(step: PlanStep, *, undo: bool = False) -> Act:
    """Return what a step does, or what takes it back."""
    if undo and step.undo is not None:
        return Act(step, step.undo.action, step.undo.options)
    return Act(step, step.action, step.options)


def look_of(step: PlanStep, kind: Mode, *, undo: bool = False) -> Act:
    """Return a look at a step's effect: its action's probe, or the author's `verify`.

    `undo`: at the effect of what takes it back.
    """
    if undo and step.undo is not None:
        return Act(step, step.undo.action, step.undo.options, "probe")
    if kind == "verify" and step.verify is not None:
        return Act(step, CHECK, step.verify.options, "verify")
    return Act(step, step.action, step.options, "probe")


def _counting(tried: Sequence[AttemptState], *, undo: bool) -> list[AttemptState]:
    """Return the tries whose work may still be there: none from before it was taken back.

    The other way round for an undo: what was taken back before the step acted again.
    """
    counting: list[AttemptState] = []
    for one in tried:
        if one.undo == undo:
            counting.append(one)
        elif one.effect != "none" and one.status is not AttemptStatus.VOID:
            counting = []
    return counting


def order(act: Act, values: Values, directory: Path, attempt: AttemptState, root: Path) -> Order:
    """Return the complete order. Raises NotReadyError when a value is missing or wrong.

    `attempt` is the one that acts, or that is looked at; `directory` is where the worker writes,
    `root` the state directory.
    """
    spec = registry.spec(act.action)
    filled = _fill(act, spec, values)
    files = _secret_files(act, values)
    options = _validated(act, spec, filled.options, values)
    step, started = act.step, values.state.started
    # A look reads what the attempt that it looks at has left behind.
    count = attempt.number - 1 if act.mode == "perform" else attempt.number
    earlier = _counting(values.state.steps[step.id].attempts[:count], undo=attempt.undo)
    job = Job(
        run=values.state.run,
        step=step.id,
        number=attempt.number,
        action=act.action,
        options=options,
        directory=str(directory),
        cwd=started.cwd,
        environment=values.environment.name,
        operator=values.operator,
        variables=filled.variables,
        hosts=_hosts(act, spec, options, values.environment),
        secrets=values.secrets.all(values.plan),
        commit=started.commit,
        before=attempt.before,
        carries=attempt.carries,
        timeout=step.timeout if act.mode == "perform" else None,
        previous=tuple(str(root / one.directory) for one in earlier),
        ssh_config=values.environment.ssh_config,
        secret_files=files,
    )
    return Order(act.mode, spec.perform, job)


def shown(act: Act, values: Values) -> dict[str, Any]:
    """Return the options as people may see them; what has no value yet stays as written."""

    def lookup(ref: Ref) -> str:
        try:
            found = values.shown(ref)
        except MissingValueError:
            found = None
        if found or ref.default is None:
            return found or f"${{{{ {ref.path} }}}}"
        return ref.default

    filled: dict[str, Any] = fill(act.options, lookup)
    return filled


@dataclass(slots=True)
class _Filled:
    options: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)


def _fill(act: Act, spec: Spec, values: Values) -> _Filled:
    filled = _Filled()
    try:
        filled.options = {
            key: _filled(value, key, spec, values, filled.variables)
            for key, value in act.options.items()
        }
    except (MissingValueError, SecretError) as problem:
        raise NotReadyError(f"{act.step.name} cannot begin: {problem.sentence}.") from problem
    except ReferenceSyntaxError as problem:
        raise NotReadyError(f"{act.step.name} cannot begin: {problem}.") from problem
    return filled


def _lookup(spec: Spec, place: str, values: Values) -> Lookup:
    """Return where values come from: the host at hand is known only to whoever talks to it."""
    if values.host is not None or place not in spec.per_host:
        return values.real

    def on_each(ref: Ref) -> str | None:
        if ref.kind == "host" and ref.name in ("", "address"):
            return f"{HERE}{ref.name or 'name'}"
        return values.real(ref)

    return on_each


def _filled(value: Any, place: str, spec: Spec, values: Values, variables: dict[str, str]) -> Any:
    lookup = _lookup(spec, place, values)
    if isinstance(value, str) and place in spec.scripts:
        bound = bind(value, lookup, len(variables) + 1)
        variables.update(bound.variables)
        return bound.text
    if isinstance(value, Mapping):
        return {
            key: _filled(inner, f"{place}.{key}", spec, values, variables)
            for key, inner in value.items()
        }
    return fill(value, lookup)


def _validated(
    act: Act, spec: Spec, options: Mapping[str, Any], values: Values
) -> Mapping[str, Any]:
    try:
        model = spec.options.model_validate(dict(options))
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or act.action
        said = str(first["msg"]).removeprefix("Value error, ")
        for secret in values.secrets.all(values.plan):
            said = said.replace(secret, MASK)
        raise NotReadyError(f"{act.step.name} cannot begin: {place}: {said}.") from None
    return model.model_dump(mode="json")


def _hosts(
    act: Act, spec: Spec, options: Mapping[str, Any], environment: PlanEnvironment
) -> tuple[Host, ...]:
    if spec.hosts is None:
        return ()
    found: dict[str, Host] = {}
    for name in host_fields.names(options.get(spec.hosts)):
        hosts = inventory(environment, name)
        if not hosts:
            raise NotReadyError(
                f"{act.step.name} cannot begin: {environment.name or 'the runbook'} has no host "
                f"or group {name}."
            )
        found |= {host.name: api_host(host) for host in hosts}
    return tuple(found.values())


def inventory(environment: PlanEnvironment, name: str) -> tuple[PlanHost, ...]:
    """Return the hosts of a group, or the one host of that name; empty when there is neither."""
    if name in environment.groups:
        return environment.groups[name]
    for hosts in environment.groups.values():
        for host in hosts:
            if host.name == name:
                return (host,)
    return ()


def api_host(host: PlanHost) -> Host:
    """Return a host as actions know it."""
    return Host(host.name, host.user, host.address, host.port)


def _secret_files(act: Act, values: Values) -> dict[str, str]:
    """Return the secrets that the step wants as files, by name."""
    files: dict[str, str] = {}
    for name in act.step.secret_files:
        ref = references.make(f"secrets.{name}")
        try:
            value = None if isinstance(ref, str) else values.real(ref)
        except SecretError as problem:
            raise NotReadyError(f"{act.step.name} cannot begin: {problem.sentence}.") from problem
        if not value:
            raise NotReadyError(f"{act.step.name} cannot begin: the secret {name} has no value.")
        files[name] = value
    return files


def help_text(step: PlanStep, values: Values) -> str | None:
    """Return the author's help with the values that people may see."""
    if step.help is None:
        return None
    return fill_text(step.help, lambda ref: values.shown(ref) or f"${{{{ {ref.path} }}}}")
