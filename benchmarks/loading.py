"""Loading a runbook of 10,000 steps: read, validated, every reference and script checked.

The baseline only composes the YAML, makes plain values of it and validates them with pydantic.
"""

from __future__ import annotations

from typing import Any, Final

import yaml
from pydantic import BaseModel
from yaml.cyaml import CSafeLoader

from benchmarks.measure import Figure, Limit, Place, alternate, cpu
from runbook_tui.definition.loader import load_sources

STEPS: Final = 10_000
PHASES: Final = 100


class _Step(BaseModel):
    id: str
    name: str
    run: str
    timeout: str
    on_failure: str


class _Phase(BaseModel):
    phase: str
    steps: list[_Step]


class _Runbook(BaseModel):
    runbook: str
    version: int
    parameters: dict[str, Any]
    phases: list[_Phase]


def text(steps: int) -> str:
    """Return a runbook with so many steps; 10,000 make 1.5 MB."""
    lines = [
        "runbook: Large",
        "version: 1",
        "parameters: {release: {pattern: 'v[0-9]+'}}",
        "phases:",
    ]
    for number in range(steps):
        if number % max(1, steps // PHASES) == 0:
            lines += [f"  - phase: Phase {number}", "    steps:"]
        lines += [
            f"      - id: step-{number}",
            f"        name: Step number {number}",
            "        run: |",
            f'          echo "step {number} of ${{{{ release }}}}"',
            "        timeout: 10m",
            "        on_failure: ask",
        ]
    return "\n".join(lines) + "\n"


def bare(source: str) -> None:
    """Compose, construct, validate: without positions, references or any check."""
    node = yaml.compose(source, Loader=CSafeLoader)
    _Runbook.model_validate(CSafeLoader("").construct_document(node))


def measure(place: Place) -> list[Figure]:
    """Return the figure of one file."""
    steps = place.size(STEPS, 1000)
    source = text(steps)
    stored = {"large.yaml": source.encode()}
    ours, theirs = alternate(
        [
            lambda: cpu(lambda: load_sources("large.yaml", stored)),
            lambda: cpu(lambda: bare(source)),
        ],
        place.rounds,
    )
    return [
        Figure(
            f"Loading, validating and linting {steps:,} steps",
            "ms",
            ours,
            "`compose`, construct and pydantic alone",
            theirs,
            Limit("ratio", 1.5),
            "processor time",
        )
    ]
