"""Which cells there are, and what is expected of each: `matrix.tsv` says it.

A cell is an action, a fault point, and who is killed while one of our processes stands there:

- `driver`: the program; a worker that has begun goes on without it.
- `worker`: the step's own process; the program goes on.
- `both`.
- `late`: the program, while the worker sleeps on until the run has been taken up by another.
- `power`: all at once, by a power cut (see `power`).

At a point of the driver no worker is there to kill, but for `driver.after-spawn`. There it stands
at one of its own points, each a cell of its own, unless a look decides wherever it stood.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tests.crash.worlds import WORLDS

Victim = Literal["driver", "worker", "both", "late", "power"]
Class = Literal["evidence", "asked"]

TABLE: Final = Path(__file__).with_name("matrix.tsv")
DRIVER: Final = ("before-intent", "after-intent", "after-spawn", "before-outcome", "after-outcome")
WORKER: Final = ("before-claim", "before-act", "after-act", "after-result")
VICTIMS: Final[tuple[Victim, ...]] = ("driver", "worker", "both", "late", "power")
UNPROVEN: Final = ("run", "undo", "ssh", "announce", "announce-mail")
"""Actions of which no look can tell everything."""
LOCKS: Final = ("tag",)
"""Actions whose tool leaves a lock when the power goes while it works: a person removes that."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix."""

    action: str
    point: str
    victim: Victim

    def __str__(self) -> str:
        return f"{self.action} × {self.point} × {self.victim}"


def of_action(action: str) -> Iterator[Cell]:
    """Return the cells of an action, in the order of its points."""
    for name in DRIVER:
        wanted: set[Victim] = {"driver"} if name == "after-spawn" else {"driver", "power"}
        if name == "after-spawn" and action not in UNPROVEN:
            wanted = {"driver", "both"} if action in LOCKS else {"driver", "both", "power"}
        yield from (Cell(action, f"driver.{name}", who) for who in VICTIMS if who in wanted)
    before, after = WORKER[:2], WORKER[2:]
    sleeps = {f"worker.{name}" for name in before}
    own = WORLDS[action].points
    for point in (*(f"worker.{x}" for x in before), *own, *(f"worker.{x}" for x in after)):
        yield from (Cell(action, point, who) for who in VICTIMS if who != "late" or point in sleeps)


def everything() -> list[Cell]:
    """Return all cells."""
    return [cell for action in WORLDS for cell in of_action(action)]


def expected() -> Mapping[Cell, Class]:
    """Return what the table says. ValueError for a line that says nothing."""
    lines = [line for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return dict(_read(line) for line in lines)


def _read(line: str) -> tuple[Cell, Class]:
    action, point, victim, kind = line.split("\t")
    if victim not in VICTIMS or kind not in ("evidence", "asked"):
        raise ValueError(f"{TABLE.name}: {line!r} is no cell")
    return Cell(action, point, victim), kind  # type: ignore[return-value]  # looked at above
