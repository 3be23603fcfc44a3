"""How soon there is something on the screen, and how soon `--help` has spoken."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.measure import Figure, Limit, Place, Take, alternate
from benchmarks.programs import CLICK, HELLO, RUNBOOK, environment, script
from benchmarks.terminal import Screen, Terminal

_EXAMPLES: Final = Path(__file__).parent.parent / "runbooks" / "examples"


def measure(place: Place) -> list[Figure]:
    """Return the figures of starting."""
    folder = place.folder("start")
    shutil.copytree(_EXAMPLES, folder / "runbooks")
    env = environment(folder / "state")
    hello, click = script(folder, "hello.py", HELLO), script(folder, "greet.py", CLICK)
    rounds = place.rounds * 2
    first, filled, theirs = alternate(
        [
            _until([RUNBOOK], lambda screen: screen.find("Runbooks"), folder, env),
            _until([RUNBOOK], lambda screen: screen.find("Make room on a disk"), folder, env),
            _until(hello, lambda screen: screen.find("Hello"), folder, env),
        ],
        rounds,
    )
    words, others = alternate(
        [_said([RUNBOOK, "--help"], folder, env), _said([*click, "--help"], folder, env)], rounds
    )
    return [
        Figure(
            "From the command to Home's first content",
            "ms",
            first,
            "a Textual hello-world",
            theirs,
            Limit("ratio", 1.5),
        ),
        Figure("From the command to Home with all its lists", "ms", filled, "the same", theirs),
        Figure(
            "`runbook --help`, to its end",
            "ms",
            words,
            "`--help` of a click program with one command",
            others,
            Limit("ratio", 2.0),
        ),
    ]


def _until(
    argv: Sequence[str],
    there: Callable[[Screen], object],
    folder: Path,
    env: Mapping[str, str],
) -> Take:
    def take() -> float:
        with Terminal(argv, env=env, cwd=folder) as terminal:
            seen = terminal.until(lambda screen: bool(there(screen)), "first content")
            return (seen - terminal.begun) * 1000

    return take


def _said(argv: Sequence[str], folder: Path, env: Mapping[str, str]) -> Take:
    def take() -> float:
        begun = time.perf_counter()
        subprocess.run(argv, cwd=folder, env=env, check=True, capture_output=True)
        return (time.perf_counter() - begun) * 1000

    return take
