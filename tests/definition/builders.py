"""Runbooks for tests, from the parts that matter to them."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent, indent

from runbook_tui.definition.loader import Loaded, load_sources
from runbook_tui.definition.plan import Plan
from runbook_tui.definition.planning import make_plan
from runbook_tui.definition.problems import DefinitionError, Problem


def runbook(steps: str, head: str = "") -> str:
    """Return a runbook of one phase with these steps (YAML list entries)."""
    body = indent(dedent(steps).strip("\n"), "      ")
    return f"runbook: Test\n{dedent(head)}phases:\n  - phase: Only\n    steps:\n{body}\n"


def loaded(steps: str, head: str = "", **others: str) -> Loaded:
    """Load a runbook; `others` are further files, `name_yaml` for name.yaml."""
    sources = {"main.yaml": runbook(steps, head).encode()}
    sources |= {
        f"{name.removesuffix('_yaml')}.yaml": dedent(text).encode() for name, text in others.items()
    }
    return load_sources("main.yaml", sources)


def problems(steps: str, head: str = "", **others: str) -> list[Problem]:
    """Return what is wrong with a runbook, warnings included."""
    try:
        return list(loaded(steps, head, **others).problems)
    except DefinitionError as error:
        return list(error.problems)


def codes(steps: str, head: str = "", **others: str) -> list[str]:
    """Return the codes of what is wrong."""
    return [problem.code for problem in problems(steps, head, **others)]


def planned(
    steps: str,
    head: str = "",
    environment: str | None = None,
    parameters: Mapping[str, str] | None = None,
    **others: str,
) -> Plan:
    """Return the plan of a runbook."""
    return make_plan(loaded(steps, head, **others), environment, parameters or {})
