"""From a key to the cell that it changes, idle and while the step on the screen floods.

The real program in a pseudo-terminal, its log on the screen all the time: the focus moves, letters
of a search are typed, the log is read back line by line. The baseline is a small Textual program,
idle and while the same flood goes through `tee` beside it.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.measure import Figure, Limit, Place, percentile
from benchmarks.programs import HELLO, RUNBOOK, environment, script
from benchmarks.terminal import Cell, Screen, Terminal

KEYS: Final = 300
_IDLE, _FLOOD = "idle", "while a step floods"
_LIMITS: Final = {_IDLE: 15.0, _FLOOD: 40.0}
_BURST: Final = 1_000_000
"""Lines in one go of the flood."""

_ROOM: Final = 4
"""The part of the free disk that the flood may take is one in so many."""

_PATIENCE: Final = 60.0
"""Seconds to wait for a step to print, or to end."""

_RUNBOOK: Final = """runbook: Flood
version: 1
phases:
  - phase: All
    steps:
      - id: flood
        run: |
          head -n 500 {source}
          until [ -e {go} ]; do sleep 0.2; done
          for burst in $(seq {bursts}); do [ -e {stop} ] || cat {source}; done
      - {{id: after, run: "true"}}
"""


def measure(place: Place) -> list[Figure]:
    """Return the figures of keys."""
    folder = place.folder("keys")
    count = place.size(KEYS, 30)
    source = folder / "source.log"
    with source.open("w", encoding="ascii") as file:
        file.writelines(f"{number:07} a line of output as logs have\n" for number in range(_BURST))
    ours, theirs = _ours(folder, source, count), _hello(folder, source, count)
    return [
        Figure(
            f"From a key to the changed cell, {when}, p95",
            "ms",
            percentile(ours[when], 0.95),
            "a Textual hello-world" + (", the flood in `tee`" if when == _FLOOD else ""),
            percentile(theirs[when], 0.95),
            Limit("value", _LIMITS[when]),
            note=f"p50 {median(ours[when]):.1f}, p99 {percentile(ours[when], 0.99):.1f}, "
            f"{len(ours[when])} keys",
        )
        for when in (_IDLE, _FLOOD)
    ]


def _bursts(folder: Path, source: Path) -> int:
    return max(1, shutil.disk_usage(folder).free // _ROOM // source.stat().st_size)


def _ours(folder: Path, source: Path, count: int) -> dict[str, list[float]]:
    go, stop = folder / "go", folder / "stop"
    runbook = folder / "flood.yaml"
    runbook.write_text(
        _RUNBOOK.format(source=source, go=go, stop=stop, bursts=_bursts(folder, source)),
        encoding="utf-8",
    )
    state = folder / "state"
    with Terminal([RUNBOOK, "run", str(runbook)], env=environment(state), cwd=folder) as terminal:
        try:
            _start(terminal)
            keys = _Keys(terminal)
            taken = {_IDLE: keys.take(count)}
            go.touch()
            log = next(state.glob("runs/*/attempts/flood.1/output.log"))
            _grown(terminal, log, log.stat().st_size + source.stat().st_size // 10)
            before = log.stat().st_size
            taken[_FLOOD] = keys.take(count)
            if log.stat().st_size < before + source.stat().st_size // 10:
                raise RuntimeError("the flood was over before the keys were: more disk is needed")
        finally:
            stop.touch()
            go.touch()
            _over(terminal, state)
    shutil.rmtree(state)
    return taken


def _start(terminal: Terminal) -> None:
    """Start the run from its form, and wait until its log is on the screen."""
    terminal.until(lambda screen: bool(screen.find("y Start")), "question to start")
    terminal.send("d")
    terminal.until(lambda screen: bool(screen.find("enter takes the marked one")), "open bar")
    terminal.send("y")
    terminal.until(lambda screen: bool(screen.find("0000499 a line")), "log")
    terminal.drain(1.5)


def _grown(terminal: Terminal, log: Path, size: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while log.stat().st_size < size:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{log} does not grow")
        terminal.drain(0.05)


def _over(terminal: Terminal, state: Path) -> None:
    """Wait until the flood is over: the step would outlive the screen."""
    deadline = time.monotonic() + _PATIENCE
    attempts = list(state.glob("runs/*/attempts/flood.1"))
    while not all((attempt / "result.json").exists() for attempt in attempts):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the step in {attempts} does not end")
        terminal.drain(0.05)


class _Keys:
    """Presses keys of three kinds in turn, at moments that are no multiple of anything."""

    _TITLE = 2
    """The row of the panes' titles."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._random = random.Random(7919)  # the same pauses in every run

    def take(self, count: int) -> list[float]:
        """Return the milliseconds of so many keys. Begins and ends with the focus on the steps."""
        each = count // 3
        taken = [self._press("\t", lambda screen: screen.area(self._TITLE, 0, 2))]
        for _ in range(each // 2 * 2):
            taken.append(self._press("\t", lambda screen: screen.area(self._TITLE, 0, 2)))
        taken += self._search(each)
        taken += self._read_back(each)
        taken.append(self._press("\t", lambda screen: screen.area(self._TITLE, 0, 2)))
        return taken

    def _search(self, count: int) -> Iterator[float]:
        """Type into the search, some letters at a time."""
        self._terminal.send("/")
        self._terminal.until(lambda screen: bool(screen.find(" Find ")), "search")
        self._terminal.drain(0.3)
        for number in range(count):
            row = (self._terminal.screen.find(" Find ") or (0, 0))[0]
            yield self._press(
                "abcdefgh"[number % 8] if number // 8 % 2 == 0 else "\x7f",
                lambda screen, row=row: screen.area(row, 29, screen.columns),  # type: ignore[misc]
            )
        self._terminal.send("\x1b")
        self._terminal.until(lambda screen: not screen.find(" Find "), "end of the search")

    def _read_back(self, count: int) -> Iterator[float]:
        """Read the log back, line by line."""
        for number in range(count):
            key = "k" if number % 20 < 15 or number < 3 else "j"
            yield self._press(key, lambda screen: screen.area(6, 40, 50))
        self._terminal.send("F")
        self._terminal.until(lambda screen: bool(screen.find("follows")), "end of the log")

    def _press(self, key: str, watched: Callable[[Screen], tuple[Cell, ...]]) -> float:
        self._terminal.drain(self._random.uniform(0.02, 0.12))
        before = watched(self._terminal.screen)
        begun = self._terminal.send(key)
        seen = self._terminal.until(
            lambda screen: watched(screen) != before, f"change after {key!r}"
        )
        return (seen - begun) * 1000


def _shows(words: str) -> Callable[[Screen], bool]:
    return lambda screen: bool(screen.find(words))


def _hello(folder: Path, source: Path, count: int) -> dict[str, list[float]]:
    with Terminal(script(folder, "hello.py", HELLO), env=environment(folder)) as terminal:
        terminal.until(lambda screen: bool(screen.find("Hello, world 0")), "greeting")
        terminal.drain(1.0)
        taken = {_IDLE: _greet(terminal, count)}
        with _teed(folder, source):
            taken[_FLOOD] = _greet(terminal, count)
    return taken


def _greet(terminal: Terminal, count: int) -> list[float]:
    taken = []
    pauses = random.Random(7919)  # the same pauses in every run
    for number in range(count):
        terminal.drain(pauses.uniform(0.02, 0.12))
        words = f"world {1 - number % 2}"
        begun = terminal.send(str(1 - number % 2))
        seen = terminal.until(_shows(words), "new greeting")
        taken.append((seen - begun) * 1000)
    return taken


@contextmanager
def _teed(folder: Path, source: Path) -> Iterator[None]:
    """Have the same flood go through `tee` as long as the block lasts."""
    log = folder / "tee.log"
    loop = f"while [ -e {log} ]; do cat {source}; done | tee -a {log} > /dev/null"
    log.touch()
    with subprocess.Popen(["sh", "-c", loop], stdin=subprocess.DEVNULL) as flood:
        try:
            yield
        finally:
            log.unlink()
            flood.wait()
