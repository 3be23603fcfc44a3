"""A log of 1 GB in the real program, beside `less`: opened, to its start, to its end, to a hit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.measure import Figure, Limit, Place
from benchmarks.programs import RUNBOOK, environment, run
from benchmarks.terminal import Screen, Terminal

BYTES: Final = 1_000_000_000
_NEEDLE: Final = "the needle in the hay"
_AT: Final = 0.7
"""Where in the log the only hit stands."""

_PAUSE: Final = 0.15
"""Seconds before each key."""

_MOST_MEMORY: Final = 40.0
_RUNBOOK: Final = """runbook: Logs
version: 1
phases:
  - phase: All
    steps:
      - {id: big, run: "echo to be replaced"}
      - {id: small, run: "echo few words"}
"""


@dataclass(frozen=True, slots=True)
class _Log:
    path: Path
    first: str
    last: str
    hit: str
    """What the screen shows of the first line, the last one, and the hit."""


@dataclass(slots=True)
class _Taken:
    opened: list[float]
    to_start: list[float]
    to_end: list[float]
    to_hit: float = 0.0
    grown: float = 0.0


def measure(place: Place) -> list[Figure]:
    """Return the figures of a big log."""
    folder = place.folder("logs")
    state = folder / "state"
    (folder / "logs.yaml").write_text(_RUNBOOK, encoding="utf-8")
    words = [RUNBOOK, "run", "logs.yaml", "--headless", "--yes"]
    run(words, cwd=folder, env=environment(state))
    log = _write(
        next(state.glob("runs/*/attempts/big.1/output.log")), place.size(BYTES, 20_000_000)
    )
    ours, less = _ours(folder, state, log, place.rounds), _less(log, place.rounds)
    size = f"{log.path.stat().st_size / 1e6:,.0f} MB"
    shutil.rmtree(folder)
    figures = [
        _figure(f"A log of {size}: to its first screen", ours.opened, less.opened, 100.0),
        _figure("… from there to its start", ours.to_start, less.to_start, None),
        _figure("… from there to its end", ours.to_end, less.to_end, 50.0),
        _figure(f"… to a hit at {_AT:.0%} of it", [ours.to_hit], [less.to_hit], None),
    ]
    memory = Figure(
        "… memory that all this took",
        "MB",
        ours.grown,
        "less, the same",
        less.grown,
        Limit("value", _MOST_MEMORY),
    )
    return [*figures, memory]


def _figure(what: str, ours: list[float], less: list[float], most: float | None) -> Figure:
    limit = None if most is None else Limit("value", most)
    return Figure(what, "ms", median(ours), "`less -S`", median(less), limit)


def _write(path: Path, size: int) -> _Log:
    """Write a log of numbered lines with one needle in it."""
    line = "{0:010} GET /api/orders 200 12 ms, cache miss, user u-1042, region eu-central, ok\n"
    count = size // len(line.format(0))
    hit = int(count * _AT)
    with path.open("w", encoding="ascii") as file:
        for number in range(count):
            if number == hit:
                file.write(f"{number:010} {_NEEDLE}\n")
            else:
                file.write(line.format(number))
    return _Log(path, f"{0:010} GET", f"{count - 1:010} GET", f"{hit:010}")


def _there(words: str) -> Callable[[Screen], bool]:
    return lambda screen: bool(screen.find(words))


def _timed(terminal: Terminal, keys: str, words: str) -> float:
    terminal.drain(_PAUSE)  # what is still painted of the key before must not count
    begun = terminal.send(keys)
    return (terminal.until(_there(words), words) - begun) * 1000


def _ours(folder: Path, state: Path, log: _Log, rounds: int) -> _Taken:
    taken = _Taken([], [], [])
    with Terminal([RUNBOOK], env=environment(state), cwd=folder) as terminal:
        terminal.until(_there("✓"), "history")
        terminal.drain(1.5)
        terminal.send("\t")
        terminal.until(_there("━ History"), "focus on the history")
        terminal.send("\r")
        terminal.until(_there("few words"), "log of the last step")
        terminal.drain(1.5)
        before = terminal.memory()
        most = 0
        for _ in range(rounds):
            taken.opened.append(_timed(terminal, "k", log.last))
            _timed(terminal, "\t", "┬━")
            taken.to_start.append(_timed(terminal, "g", log.first))
            taken.to_end.append(_timed(terminal, "G", log.last))
            most = max(most, terminal.memory())
            _timed(terminal, "\t", "━┬")
            _timed(terminal, "j", "few words")
        _timed(terminal, "k", log.last)
        _timed(terminal, "/", " Find ")
        taken.to_hit = _timed(terminal, f"{_NEEDLE}\r", log.hit)
        taken.grown = (max(most, terminal.memory()) - before) / 1e6
    return taken


def _less(log: _Log, rounds: int) -> _Taken:
    taken = _Taken([], [], [])
    for _ in range(rounds):
        with Terminal(["less", "-S", str(log.path)]) as terminal:
            first = terminal.until(_there(log.first), "first screen")
            taken.opened.append((first - terminal.begun) * 1000)
            taken.to_end.append(_timed(terminal, "G", log.last))
            taken.to_start.append(_timed(terminal, "g", log.first))
            if not taken.to_hit:
                taken.to_hit = _timed(terminal, f"/{_NEEDLE}\r", log.hit)
            taken.grown = max(taken.grown, terminal.memory() / 1e6)
    return taken
