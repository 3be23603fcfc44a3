"""A shell where a step stands: its directory and its variables, and none of its secrets."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from runbook_tui.definition.plan import Plan, PlanStep, SecretSource
from runbook_tui.definition.references import Ref
from runbook_tui.definition.substitute import MissingValueError, fill_text
from runbook_tui.engine.values import MASK, SecretBox, Values
from state.run_state import RunState


@dataclass(frozen=True, slots=True)
class Shell:
    """What is started, where, with which variables."""

    program: str
    directory: Path
    variables: Mapping[str, str]

    def run(self) -> int:
        """Run it on this terminal until it ends; return its exit code. Raises OSError."""
        return subprocess.run(
            [self.program], cwd=self.directory, env=dict(self.variables), check=False
        ).returncode


def shell(plan: Plan, state: RunState, step: str, inherited: Mapping[str, str]) -> Shell:
    """Return the shell of a step; `inherited` are the variables of this program.

    A variable that a secret is read from, or goes into, is not in it.
    """
    planned = plan.step(step)
    secrets = plan.environments[planned.environment].secrets.values()
    hidden = {source.value for source in secrets if source.kind == "env"}
    variables = {name: value for name, value in inherited.items() if name not in hidden}
    variables |= {"RUNBOOK_RUN": state.run, "RUNBOOK_STEP": step, **_own(plan, state, planned)}
    directory = Path(state.started.cwd)
    inner = _filled(plan, state, planned, planned.options.get("cwd"))
    if inner is not None and (directory / inner).is_dir():
        directory = directory / inner
    return Shell(inherited.get("SHELL") or "/bin/sh", directory, variables)


def _own(plan: Plan, state: RunState, step: PlanStep) -> dict[str, str]:
    """Return the variables that the step's author gives it, but those that cannot be shown."""
    given = step.options.get("env")
    if not isinstance(given, Mapping):
        return {}
    filled = {name: _filled(plan, state, step, text) for name, text in given.items()}
    return {name: text for name, text in filled.items() if text is not None}


def _filled(plan: Plan, state: RunState, step: PlanStep, text: Any) -> str | None:
    """Return a text with its values; None when one is missing or secret."""
    if text is None:
        return None
    home = plan.environments[step.environment]
    values = Values(plan, state, home, SecretBox(_unread), operator="")

    def lookup(ref: Ref) -> str | None:
        found = values.shown(ref)
        if found == MASK:
            raise MissingValueError(ref)
        return found

    try:
        return fill_text(str(text), lookup)
    except MissingValueError:
        return None


def _unread(source: SecretSource) -> NoReturn:
    raise AssertionError(f"the secret {source.name} is not to be read for a shell")


def in_words(step: str, code: int, seconds: float) -> str:
    """Return what is noted of a shell that has ended."""
    minutes, rest = divmod(round(seconds), 60)
    return f"shell at {step} ended after {minutes}:{rest:02}, exit code {code}"
