"""A durable `run` step: beside the least that such a step can be, and beside ansible-playbook.

Runs of many steps and of one are timed, so that start and end of the program do not count.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

from benchmarks.floor import Floor
from benchmarks.measure import Figure, Limit, Place, Take, alternate, wall
from benchmarks.programs import RUNBOOK, environment, run

STEPS: Final = 100
TASKS: Final = 25
_CHEAPER: Final = 7


def measure(place: Place) -> list[Figure]:
    """Return the figures of one step."""
    folder = place.folder("step")
    command = shutil.which("true") or "/bin/true"
    steps = place.size(STEPS, 10)
    ours, floor = alternate(
        [_ours(folder, steps, command), _floor(folder, steps, command)], place.rounds
    )
    figures = [
        Figure(
            "A durable step: intent, worker, fsynced result, outcome",
            "ms",
            ours,
            "two commits and a fresh `python -I -S` worker",
            floor,
            Limit("ratio", 3.0),
        )
    ]
    return [*figures, *_beside_ansible(place, folder, ours, command)]


def _beside_ansible(place: Place, folder: Path, ours: float, command: str) -> list[Figure]:
    playbook = _install(folder / "venv")
    if playbook is None:
        place.notes.append(
            "ansible-core could not be installed here, so a step is not held against a task."
        )
        return []
    tasks = place.size(TASKS, 5)
    (task,) = alternate([_ansible(folder, playbook, tasks, command)], max(1, place.rounds // 2))
    return [
        Figure(
            "The same step",
            "ms",
            ours,
            f"a task of ansible-playbook ({_version(playbook)})",
            task,
            Limit("ratio", 1 / _CHEAPER),
        )
    ]


def _ours(folder: Path, steps: int, command: str) -> Take:
    many = _runbook(folder / "many.yaml", steps + 1, command)
    one = _runbook(folder / "one.yaml", 1, command)
    env = environment(folder / "state")

    def drive(path: Path) -> None:
        run([RUNBOOK, "run", str(path), "--headless", "--yes"], cwd=folder, env=env)

    return lambda: (wall(lambda: drive(many)) - wall(lambda: drive(one))) / steps


def _runbook(path: Path, steps: int, command: str) -> Path:
    lines = [f"      - {{id: s{number}, run: {{argv: [{command}]}}}}" for number in range(steps)]
    head = ["runbook: Steps", "version: 1", "phases:", "  - phase: All", "    steps:"]
    path.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    return path


def _floor(folder: Path, steps: int, command: str) -> Take:
    rounds = iter(range(1_000_000))

    def take() -> float:
        inside = folder / f"floor.{next(rounds)}"
        inside.mkdir()
        program = Floor(inside, command)
        try:
            return wall(program.step, steps)
        finally:
            program.close()

    return take


def _install(folder: Path) -> Path | None:
    """Install ansible-core; return its program, or None where that cannot be done."""
    try:
        venv.create(folder, with_pip=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "ansible-core"]
        subprocess.run(pip, check=True, capture_output=True, timeout=600)
    except (OSError, subprocess.SubprocessError):
        return None
    return folder / "bin" / "ansible-playbook"


def _version(playbook: Path) -> str:
    said = subprocess.run([playbook, "--version"], capture_output=True, text=True, check=True)
    return said.stdout.splitlines()[0].removeprefix("ansible-playbook ").strip("[]")


def _ansible(folder: Path, playbook: Path, tasks: int, command: str) -> Take:
    python = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"here": python}}}), encoding="utf-8")

    def book(name: str, count: int) -> Path:
        path = folder / name
        task = {"ansible.builtin.command": {"argv": [command]}}
        play = [{"hosts": "all", "gather_facts": False, "tasks": [task] * count}]
        path.write_text(json.dumps(play), encoding="utf-8")
        return path

    many, one = book("many.json", tasks + 1), book("one.json", 1)
    env = environment(folder) | {"LC_ALL": "C.UTF-8", "ANSIBLE_HOME": str(folder / "ansible")}

    def play(path: Path) -> None:
        run([str(playbook), "-i", str(inventory), str(path)], cwd=folder, env=env)

    return lambda: (wall(lambda: play(many)) - wall(lambda: play(one))) / tasks
