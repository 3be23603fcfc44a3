"""A plan before its run: what its steps would see if it began now.

Nothing is journaled and no run id is taken. Secrets are read where they are kept, but nobody is
asked to type one: what needs such a secret is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from functools import partial
from typing import Any, Final

from runbook_tui.actions.api import Host
from runbook_tui.actions.shared import in_parallel
from runbook_tui.definition import references
from runbook_tui.definition.ids import template_of
from runbook_tui.definition.instances import expand, foreseen
from runbook_tui.definition.plan import Plan, PlanStep, SecretSource
from runbook_tui.definition.references import Ref
from runbook_tui.definition.substitute import MissingValueError, fill
from runbook_tui.engine import clock, outline
from runbook_tui.engine.driving import Place
from runbook_tui.engine.ports import SecretReader
from runbook_tui.engine.repository import Checkout
from runbook_tui.engine.values import SecretBox, Values, at_instance
from runbook_tui.secrets import SecretError
from state import fold
from state.run_state import RunState

RUN: Final = "plan"
"""What stands for the run's id."""

SECRETS_WITHIN: Final = 10.0
"""Seconds that reading the secrets may take."""


@dataclass(frozen=True, slots=True)
class Untold:
    """A secret that has no value here: `typed` when a person will type it, else why not."""

    environment: str
    source: SecretSource
    typed: bool
    sentence: str = ""
    advice: str = ""


@dataclass(slots=True)
class Preview:
    """The values of a run that has not begun. `state` may be given outputs that looks found."""

    plan: Plan
    checkout: Checkout
    state: RunState
    operator: str
    box: SecretBox
    untold: tuple[Untold, ...] = ()

    def values(self, step: PlanStep) -> Values:
        """Return what a step would see."""
        environment = self.plan.environments[step.environment]
        host = Host(*astuple(step.host)) if step.host else None
        return Values(
            self.plan,
            self.state,
            environment,
            self.box,
            self.operator,
            host,
            step.item,
            step.instance,
        )

    def filled(self, step: PlanStep, options: Mapping[str, Any], *, shown: bool) -> Any:
        """Return options with the values known now, masked and in words if they are to be shown."""
        values = self.values(step)
        if not shown:
            return fill(options, partial(self._known, values.real))
        return fill(options, partial(self._in_words, values))

    def _in_words(self, values: Values, ref: Ref) -> str:
        """Return what people see of a value; of one that only a step will give, whose it is."""
        found = self._known(values.shown, ref)
        if not found.startswith("${{") or ref.step is None:
            return found
        giver = at_instance(self.state, ref.step, values.instance)
        if giver is not None:
            return f"({ref.name} of {giver.name})"
        repeated = any(template_of(id_) == ref.step for id_ in self.state.steps)
        return f"({ref.name} of {ref.step})" if repeated else found

    def _known(self, lookup: Callable[[Ref], str | None], ref: Ref) -> str:
        try:
            found = lookup(ref)
        except (MissingValueError, SecretError):
            found = None
        if not found and ref.kind == "step" and ref.step is not None:
            found = self._to_be(lookup, ref)
        return found or ref.default or f"${{{{ {ref.path} }}}}"

    def _to_be(self, lookup: Callable[[Ref], str | None], ref: Ref) -> str | None:
        """Return an output that is one of its step's options, such as the name of an image."""
        options = {step.id: step.options for step in self.plan.steps()}
        options |= {step.id: step.options["outputs"] for step in self.plan.includes()}
        given = options.get(ref.step or "", {}).get(ref.name)
        if not isinstance(given, str):
            return None
        text = str(fill(given, partial(self._known, lookup)))
        return None if "${{" in text else text


def of(plan: Plan, checkout: Checkout, place: Place) -> Preview:
    """Return a plan's preview, the secrets that its steps use read."""
    plan = _with_lists(plan, checkout, place)
    began = _begun(plan, checkout)
    known, untold = _read(plan, place.read_secret)
    return Preview(plan, checkout, began, place.operator, SecretBox(_refuse, known), untold)


def _begun(plan: Plan, checkout: Checkout) -> RunState:
    started = outline.started(plan, checkout)
    return replace(fold.foresee(None, started), run=RUN, started_at=clock.utc())


def _with_lists(plan: Plan, checkout: Checkout, place: Place) -> Plan:
    """Repeat the steps of each `each` whose list is known before the run."""
    if not any(group.each for group in plan.groups()):
        return plan
    home = plan.home()
    values = Values(plan, _begun(plan, checkout), home, SecretBox(_refuse), place.operator)
    return expand(plan, foreseen(plan, values.real))


def sources(plan: Plan) -> dict[tuple[str, str], SecretSource]:
    """Return the secrets that the steps use, by environment and name."""
    found: dict[tuple[str, str], SecretSource] = {}
    for step in plan.steps():
        wanted = [*_secrets(plan, step.environment, step_references(step))]
        wanted += [(step.environment, name) for name in step.secret_files]
        for place, name in wanted:
            environment = plan.environments[place]
            if name in environment.secrets:
                found[environment.name, name] = environment.secrets[name]
    return found


def _secrets(plan: Plan, place: str, refs: Iterable[Ref]) -> Iterator[tuple[str, str]]:
    """Yield environment and name of the secrets that references need, by what is handed on too."""
    for ref in refs:
        handed = plan.handed.get(ref.name) if ref.kind == "parameter" else None
        if ref.kind == "secret":
            yield place, ref.name
        elif handed is not None and handed.written:
            yield from _secrets(plan, handed.environment, references_in(handed.text))


def given_by(plan: Plan, refs: Iterable[Ref]) -> Iterator[str]:
    """Yield the steps whose outputs references need; those of an include are its steps'."""
    for ref in refs:
        handed = plan.handed.get(ref.name) if ref.kind == "parameter" else None
        if handed is not None and handed.written:
            yield from given_by(plan, references_in(handed.text))
        if ref.kind == "step" and ref.step is not None:
            inner = {one.id: one.options["outputs"] for one in plan.includes()}.get(ref.step, {})
            yield from given_by(plan, references_in(inner.get(ref.name)))
            yield ref.step


def step_references(step: PlanStep) -> Iterator[Ref]:
    """Yield the references of what a step does, of its check and of its way back."""
    parts = [step.options]
    parts += [one.options for one in (step.verify, step.undo) if one is not None]
    for part in parts:
        yield from references_in(part)


def references_in(value: object) -> Iterator[Ref]:
    """Yield the references in all texts of plain data."""
    if isinstance(value, str):
        yield from references.scan(value)[0]
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from references_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from references_in(inner)


def _read(plan: Plan, read: SecretReader) -> tuple[dict[tuple[str, str], str], tuple[Untold, ...]]:
    wanted = sources(plan)
    untold = [Untold(key[0], one, True) for key, one in wanted.items() if one.kind == "prompt"]
    asked = {key: one for key, one in wanted.items() if one.kind != "prompt"}

    def value(source: SecretSource) -> str | SecretError:
        try:
            return read(source)
        except SecretError as problem:
            return problem

    found = in_parallel.results([partial(value, one) for one in asked.values()], SECRETS_WITHIN)
    known: dict[tuple[str, str], str] = {}
    for (key, source), one in zip(asked.items(), found, strict=True):
        if isinstance(one, str):
            known[key] = one
        elif one is None:
            late = f"it was not read within {SECRETS_WITHIN:.0f} s"
            untold.append(Untold(key[0], source, False, late))
        else:
            untold.append(Untold(key[0], source, False, one.sentence, one.advice))
    return known, tuple(untold)


def _refuse(source: SecretSource) -> str:
    raise SecretError(source, "it is not known before the run", "")
