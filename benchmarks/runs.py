"""A run of 10,000 steps, all but the last finished, taken up again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks import loading
from benchmarks.measure import Figure, Limit, Place, Take, alternate
from benchmarks.programs import RUNBOOK, environment
from runbook_tui.definition import loader, planning
from runbook_tui.engine import outline
from runbook_tui.engine.repository import Checkout
from state.events import AttemptEnded, AttemptIntended, Payload, QuestionAnswered, QuestionAsked
from state.json_value import Json
from state.stores.machine import boot_id, machine_id
from state.stores.paths import attempt_directory
from state.stores.sqlite import open_journal

STEPS: Final = 10_000
_RUN: Final = "1123-k7f3"
_BY: Final[Mapping[str, Any]] = {"operator": "bench", "host": "here", "token": 1}
_WAITS: Final = 3
"""The exit code of a run that waits for an answer."""


def measure(place: Place) -> list[Figure]:
    """Return the figures of many steps."""
    folder = place.folder("runs")
    steps = place.size(STEPS, 500)
    path = folder / "many.yaml"
    last = "  - phase: Last\n    steps: [{id: decide, manual: {text: Is it done}}]\n"
    path.write_text(loading.text(steps) + last, encoding="utf-8")
    state = folder / "state"
    _finished(path, state)
    (resumed,) = alternate([_resume(state, folder)], place.rounds)
    return [
        Figure(
            f"`resume` of a run with {steps:,} finished steps to its first question, CPU",
            "ms",
            resumed,
            limit=Limit("value", 1000),
            note="with start-up and reading the runbook",
        ),
    ]


def _finished(path: Path, state: Path) -> None:
    """Write the journal of a run of which all steps but the last are done."""
    loaded = loader.load(path)
    plan = planning.make_plan(loaded, None, {"release": "v1"})
    with open_journal(state) as journal:
        started = outline.started(plan, Checkout(path.parent, None, False))
        journal.create_run(_RUN, started, **_BY, sources=loaded.sources)
        asked = QuestionAsked("q1", None, "start", "Start it?", ("yes", "no"))
        journal.append(_RUN, [asked, QuestionAnswered("q1", "yes", "person", None, {})], **_BY)
        done: list[Payload] = []
        for step in plan.steps():
            if step.action != "manual":
                done += _done(step.id)
        journal.append(_RUN, done, **_BY)


def _done(step: str) -> tuple[Payload, Payload]:
    directory = attempt_directory(_RUN, step, 1)
    evidence: dict[str, Json] = {
        "kind": "exit",
        "summary": "exit code 0: ./move.sh",
        "data": {"code": 0},
    }
    return (
        AttemptIntended(step, 1, "run", directory, machine_id(), boot_id()),
        AttemptEnded(
            step, 1, "succeeded", exit_code=0, evidence=(evidence,), effect="done", proof="machine"
        ),
    )


def _resume(state: Path, folder: Path) -> Take:
    def take() -> float:
        words = [RUNBOOK, "resume", _RUN, "--headless"]
        with subprocess.Popen(
            words,
            cwd=folder,
            env=environment(state),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as program:
            if program.stdout is None:
                raise RuntimeError("resume has no output")
            asked = next((line for line in program.stdout if line.startswith("? ")), None)
            used = _cpu(program.pid)
            program.stdout.read()
        if asked is None or program.returncode != _WAITS:
            raise RuntimeError(f"resume asked {asked} and ended with {program.returncode}")
        return used

    return take


def _cpu(pid: int) -> float:
    """Return the milliseconds of processor time that a process has used so far."""
    words = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    user, system = int(words[11]), int(words[12])
    return (user + system) * 1000 / os.sysconf("SC_CLK_TCK")
