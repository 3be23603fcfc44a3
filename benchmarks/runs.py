"""Runs of 10,000 steps: one with all but the last finished, and one with the last ones to do."""

from __future__ import annotations

import os
import shutil
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
LEFT: Final = 100
"""Steps to do where the cost of one is measured."""
SMALL: Final = 2 * LEFT
"""Steps of the plan that it is held against."""
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
    _finished(path, state, 1)
    (resumed,) = alternate([_resume(state, folder)], place.rounds)
    return [
        Figure(
            f"`resume` of a run with {steps:,} finished steps to its first question, CPU",
            "ms",
            resumed,
            limit=Limit("value", 1000),
            note="with start-up and reading the runbook",
        ),
        _one_step(place, steps),
    ]


def _one_step(place: Place, steps: int) -> Figure:
    """Return what a step costs its driver in a large plan, beside one in a small plan."""
    takes = [_steps_of(place, count) for count in (steps, SMALL)]
    ours, theirs = alternate(takes, place.rounds)
    return Figure(
        f"A step in a plan of {steps:,} steps, CPU of its driver",
        "ms",
        ours,
        f"the same step in a plan of {SMALL} steps",
        theirs,
        Limit("ratio", 2.0),
    )


def _steps_of(place: Place, steps: int) -> Take:
    """Return what takes the cost of each of the last steps of a run with so many."""
    folder = place.folder(f"runs-of-{steps}")
    path, kept, state = folder / "plan.yaml", folder / "kept", folder / "state"
    lines = (f"      - {{id: s-{number}, run: 'true'}}" for number in range(steps))
    path.write_text("runbook: Many\nphases:\n  - phase: All\n    steps:\n" + "\n".join(lines))
    _finished(path, kept, LEFT)

    def take() -> float:
        shutil.rmtree(state, ignore_errors=True)
        shutil.copytree(kept, state)
        words = [RUNBOOK, "resume", _RUN, "--headless"]
        first = last = 0.0
        with subprocess.Popen(
            words,
            cwd=folder,
            env=environment(state),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as program:
            for line in program.stdout or ():
                if " ▸ " in line:
                    last = _cpu(program.pid)
                    first = first or last
        if program.returncode:
            raise RuntimeError(f"resume ended with {program.returncode}")
        return (last - first) / (LEFT - 1)

    return take


def _finished(path: Path, state: Path, left: int) -> None:
    """Write the journal of a run of which all steps but the last ones are done."""
    loaded = loader.load(path)
    known = loaded.runbook.parameters
    plan = planning.make_plan(loaded, None, {"release": "v1"} if "release" in known else {})
    with open_journal(state) as journal:
        started = outline.started(plan, Checkout(path.parent, None, False))
        journal.create_run(_RUN, started, **_BY, sources=loaded.sources)
        asked = QuestionAsked("q1", None, "start", "Start it?", ("yes", "no"))
        journal.append(_RUN, [asked, QuestionAnswered("q1", "yes", "person", None, {})], **_BY)
        done: list[Payload] = []
        for step in [*plan.steps()][:-left]:
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
