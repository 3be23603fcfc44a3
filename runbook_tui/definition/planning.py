"""From a runbook as read to a plan: environment chosen, parameters checked, overlays applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from runbook_tui.definition import includes, references
from runbook_tui.definition.environments import Environment, empty
from runbook_tui.definition.loader import Loaded
from runbook_tui.definition.model import (
    Parameter,
    Phase,
    RetryKeys,
    Runbook,
    Step,
    approval_of,
    confirm_of,
    relative,
)
from runbook_tui.definition.overlays import Overlaid, overlay
from runbook_tui.definition.plan import (
    INCLUDE,
    Contact,
    Each,
    Handed,
    OnFailure,
    Plan,
    PlanEnvironment,
    PlanGroup,
    PlanParameter,
    PlanPhase,
    PlanStep,
    Retries,
    RollbackRunbook,
    Undo,
    Verify,
    When,
)
from runbook_tui.definition.problems import UsageProblem, did_you_mean
from runbook_tui.definition.tree import spot
from runbook_tui.definition.values import wrong_value


def make_plan(
    loaded: Loaded,
    environment: str | None,
    parameters: Mapping[str, str],
    *,
    complete: bool = True,
) -> Plan:
    """Make a runbook ready for one run; when not `complete`, parameters may be missing.

    Raises UsageProblem for an environment or a parameter that is unknown, missing or wrong.
    """
    runbook = loaded.runbook
    home = home_of(loaded, environment)
    values = check_parameters(runbook.parameters, parameters, home, complete=complete)
    planner = Planner(loaded.environments, home, loaded.others, loaded.main)
    phases = tuple(planner.phase(phase) for phase in runbook.phases)
    header = runbook.header
    return Plan(
        runbook=runbook.name,
        description=header.description,
        file=str(loaded.path.absolute()) if loaded.path else loaded.main,
        environment=home.name,
        parameters=values,
        phases=phases,
        environments={name: plain_environment(env) for name, env in planner.used.items()},
        sources=loaded.sources,
        rollback=_rollback(runbook),
        contacts=tuple(Contact(who.role, who.name, who.reach) for who in header.contacts),
        links=header.links,
        requires=header.requires,
        cadence=header.cadence,
        handed=planner.handed,
    )


def check_parameters(
    known: Mapping[str, Parameter],
    given: Mapping[str, str],
    home: Environment,
    *,
    complete: bool = True,
) -> dict[str, PlanParameter]:
    """Return the values of all parameters. Raises UsageProblem that names all that is wrong."""
    wrong: list[str] = []
    advice: list[str] = []
    for name in given:
        if name not in known:
            wrong.append(f'there is no parameter "{name}"')
            advice.append(did_you_mean(name, list(known)) or "this runbook has no parameters")
    values: dict[str, PlanParameter] = {}
    for name, parameter in known.items():
        value = given.get(name, parameter.default)
        if value is None and not complete:
            continue
        if value is None:
            wrong.append(f'the parameter "{name}" is missing')
            advice.append(f"give it with -p {name}=VALUE")
        elif problem := _wrong(parameter, value, home):
            wrong.append(f'the parameter "{name}" {problem}')
            advice.append(f"give another value with -p {name}=VALUE")
        else:
            prompt = parameter.prompt or name
            values[name] = PlanParameter(name, value, prompt, parameter.secret)
    if wrong:
        sentence = "; ".join(wrong)
        raise UsageProblem(
            sentence[0].upper() + sentence[1:], "; ".join(dict.fromkeys(filter(None, advice)))
        )
    return values


def _wrong(parameter: Parameter, value: str, home: Environment) -> str | None:
    if wrong := wrong_value(parameter, value):
        return wrong
    if parameter.type != "host":
        return None
    groups = home.groups
    if parameter.group is not None:
        groups = {parameter.group: groups.get(parameter.group, ())}
    names = [host.name for hosts in groups.values() for host in hosts]
    if value in names:
        return None
    return f"must be one of the hosts {', '.join(dict.fromkeys(names)) or '(there are none)'}"


def home_of(loaded: Loaded, environment: str | None) -> Environment:
    """Return the environment that a run starts in. Raises UsageProblem."""
    known = loaded.environments
    names = ", ".join(known)
    if not known:
        if environment is not None:
            raise UsageProblem(
                f'There is no environment "{environment}": the runbook has none',
                "Leave -e out",
            )
        return empty(spot(loaded.runbook.node))
    if environment is None:
        raise UsageProblem("The environment is missing", f"Give it with -e: {names}")
    if environment not in known:
        raise UsageProblem(
            f'There is no environment "{environment}"',
            did_you_mean(environment, list(known)) or f"Known: {names}",
        )
    return known[environment]


def _rollback(runbook: Runbook) -> RollbackRunbook | None:
    if (given := runbook.rollback) is None:
        return None
    return RollbackRunbook(given.file, given.with_, given.instead_of_undo)


def environment_of(
    in_: str | None, home: Environment, environments: Mapping[str, Environment]
) -> Environment:
    """Return the environment that an `in` names, directly or by one of `home`'s variables.

    Raises UsageProblem when there is no such environment.
    """
    if in_ is None:
        return home
    name = in_
    if refs := references.scan(in_)[0]:
        name = home.vars.get(refs[0].name) or refs[0].default or ""
    if name not in environments:
        raise UsageProblem(
            f'`in: {in_}` names the environment "{name}", which does not exist',
            did_you_mean(name, list(environments)),
        )
    return environments[name]


class Planner:
    """Plans phases of one file in one home environment; remembers the environments they use, and
    what the runbooks that they include are `handed`.
    """

    def __init__(
        self,
        environments: Mapping[str, Environment],
        home: Environment,
        others: Mapping[str, Runbook],
        file: str,
    ) -> None:
        self.environments = environments
        self.home = home
        self.others = others
        self.file = file
        self.used = {home.name: home}
        self.handed: dict[str, Handed] = {}
        self._prefix = ""
        self._in: str | None = None
        self._on_failure: OnFailure = "ask"

    def phase(self, phase: Phase) -> PlanPhase:
        """Return a phase with its steps and groups."""
        whens = (phase.when,) if phase.when else ()
        items = (item for step in phase.steps for item in self._items(step, phase, whens))
        return PlanPhase(phase.name, tuple(items))

    def _items(
        self, step: Step, phase: Phase, whens: tuple[When, ...]
    ) -> tuple[PlanStep | PlanGroup, ...]:
        if step.kind == INCLUDE:
            return self._included(step, phase, whens)
        return (self._item(step, phase, whens),)

    def _included(
        self, step: Step, phase: Phase, whens: tuple[When, ...]
    ) -> tuple[PlanStep | PlanGroup, ...]:
        """Return the steps of an included runbook, in the environment of the including step."""
        in_ = step.keys.in_ or phase.in_ or self._in
        head = self._step(step, phase, whens, in_)
        file = relative(self.file, str(step.options["file"]))
        runbook = self.others[file]
        inner = Planner(self.environments, self.home, self.others, file)
        inner.used = self.used
        inner._prefix, inner._in = f"{self._prefix}{step.id}/", in_
        inner._on_failure = head.on_failure
        items = [item for one in runbook.phases for item in inner.phase(one).items]
        self.handed |= includes.handed_on(inner.handed, step.id)
        given = head.options.get("with", {})
        for name, parameter in runbook.parameters.items():
            text, written = given.get(name, parameter.default), name in given
            self.handed[includes.within(step.id, name)] = Handed(
                str(text), head.environment, parameter, written
            )
        outputs = {**runbook.header.outputs}
        return includes.as_part(replace(head, options={"outputs": outputs}), items)

    def _item(self, step: Step, phase: Phase, whens: tuple[When, ...]) -> PlanStep | PlanGroup:
        in_ = step.keys.in_ or phase.in_ or self._in
        if step.kind == "each":
            return self._each(step, phase, whens, in_)
        if step.kind != "parallel":
            return self._step(step, phase, whens, in_)
        own = (*whens, step.when) if step.when else whens
        children = tuple(
            self._step(child, phase, own, child.keys.in_ or in_, step.id) for child in step.children
        )
        return PlanGroup(step.id, step.name, phase.name, children, step.keys.fail_fast, own)

    def _each(
        self, step: Step, phase: Phase, whens: tuple[When, ...], in_: str | None
    ) -> PlanGroup:
        """Return a group that repeats its steps; they take from it what they do not say."""
        head = self._step(step, phase, whens, in_)
        own = [
            self._step(child, phase, (), child.keys.in_ or in_, step.id) for child in step.children
        ]
        templates = tuple(
            replace(
                each,
                refs=each.refs or head.refs,
                on_failure=each.on_failure if "on_failure" in child.node else head.on_failure,
                no_return=each.no_return or head.no_return,
                help=each.help or head.help,
                background=head.background,
            )
            for each, child in zip(own, step.children, strict=True)
        )
        options = plain(step.options)
        over: Literal["host", "item"] = "host" if "host" in options else "item"
        names = options[over]
        each = Each(
            head=replace(head, options={}),
            over=over,
            names=names if isinstance(names, str) else tuple(map(str, names)),
            templates=templates,
            batch=str(options.get("batch", 1)),
            max_failures=str(options.get("max_failures", 0)),
        )
        return PlanGroup(step.id, step.name, phase.name, templates, each=each)

    def _step(
        self,
        step: Step,
        phase: Phase,
        whens: tuple[When, ...],
        in_: str | None,
        group: str | None = None,
    ) -> PlanStep:
        place = environment_of(in_, self.home, self.environments)
        self.used[place.name] = place
        laid = overlaid(step, place, self._prefix)
        step, keys = laid.step, laid.step.keys
        approval = approval_of(keys)
        return PlanStep(
            id=step.id,
            name=step.name,
            phase=phase.name,
            action=step.kind,
            options=plain(step.options),
            environment=place.name,
            group=group,
            refs=tuple(keys.ref),
            when=(*whens, step.when) if step.when else whens,
            confirm=confirm_of(keys),
            timeout=keys.timeout,
            retries=_retries(keys.retries),
            on_failure=keys.on_failure
            if "on_failure" in keys.model_fields_set
            else self._on_failure,
            verify=step.verify and Verify(step.verify.action, plain(step.verify.options)),
            undo=step.undo and Undo(step.undo.action, plain(step.undo.options)),
            no_return=keys.no_return,
            help=keys.help,
            usually=keys.usually,
            links=keys.links,
            overlaid=laid.changed,
            secret_files=tuple(keys.secret_files),
            background=keys.background,
            roles=tuple(approval.roles),
            approvers=approval.count,
        )


def overlaid(step: Step, environment: Environment, prefix: str = "") -> Overlaid:
    """Return a step as it is in an environment; the overlay was checked when it was loaded.

    `prefix` is what stands before the ids of an included runbook's steps.
    """
    own = environment.overlays.get(prefix + step.id)
    return overlay(step, own, []) if own is not None else Overlaid(step)


def _retries(keys: RetryKeys | None) -> Retries | None:
    if keys is None:
        return None
    return Retries(keys.times, keys.delay, keys.backoff, tuple(keys.on))


def plain(value: Any) -> Any:
    """Return data of the tree without its positions."""
    if type(value) is str:  # what most values are
        return value
    if isinstance(value, dict | Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def plain_environment(environment: Environment) -> PlanEnvironment:
    """Return an environment as the engine sees it."""
    return PlanEnvironment(
        name=environment.name,
        protected=environment.protected,
        lock=environment.lock,
        vars=environment.vars,
        groups=environment.groups,
        secrets=environment.secrets,
        ssh_config=environment.ssh_config,
    )
