"""What a run of the matrix came to, in words for somebody who has not seen it before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.crash.cells import Cell, Class

_ROW: Final = "{:14} {:>6} {:>12} {:>6} {:>7} {:>8}"
_MEANING: Final = """\
A cell kills our processes at one point of one action, resumes the run to its end, and compares the
world (tags, images, rows, containers, files, messages) with that of a run that nobody disturbed.
  by evidence  the program found out by itself what had happened, and went on
  asked        nothing could tell, or a part was there: it asked, as the table says it must
  failed       an effect was lost or doubled, or a question came unexpectedly or not at all"""


@dataclass(frozen=True, slots=True)
class Ran:
    """A cell that was run: how it was decided, or what went wrong, and how long it took."""

    cell: Cell
    found: Class | None
    problem: str | None
    seconds: float


HEAD: Final = f"{'action':14} {'point':22} {'killed':8} {'class':9} {'seconds':>7}  ok"


def line(ran: Ran) -> str:
    """Return a cell's line, below HEAD."""
    cell, ok = ran.cell, "FAILED" if ran.problem else "ok"
    left = f"{cell.action:14} {cell.point:22} {cell.victim:8} {ran.found or '-':9}"
    return f"{left} {ran.seconds:7.1f}  {ok}"


def lines(all_ran: Sequence[Ran], seconds: float, *, shared: bool) -> Iterator[str]:
    """Return the summary: a line an action, what the columns mean, and the cells that failed.

    `seconds` is how long all of it took; cells run beside each other.
    """
    yield _ROW.format("action", "cells", "by evidence", "asked", "failed", "seconds")
    for action in dict.fromkeys(ran.cell.action for ran in all_ran):
        yield _counts(action, [ran for ran in all_ran if ran.cell.action == action])
    yield _counts("all", all_ran)
    yield ""
    yield from _MEANING.splitlines()
    yield ""
    failed = [ran for ran in all_ran if ran.problem]
    journal = "PostgreSQL" if shared else "SQLite"
    ended = f"{len(failed)} FAILED" if failed else "none failed: no effect lost, none doubled"
    number = "1 cell" if len(all_ran) == 1 else f"{len(all_ran)} cells"
    yield f"{number} in {seconds:.0f} s, the journal in {journal}: {ended}."
    if failed:
        yield "What each of them did stands above. One cell again:"
        yield from (f"  {again(ran.cell, shared=shared)}" for ran in failed)
    elif all_ran:
        yield f"One cell again: {again(all_ran[-1].cell, shared=shared)}"


def again(cell: Cell, *, shared: bool) -> str:
    """Return the command that runs just one cell."""
    words = f"{cell.action} --point {cell.point} --victim {cell.victim}"
    return f'make crash ARGS="{words}{" --shared" if shared else ""}"'


def _counts(name: str, all_ran: Sequence[Ran]) -> str:
    good = [ran.found for ran in all_ran if not ran.problem]
    evidence, asked = good.count("evidence"), good.count("asked")
    seconds = sum(ran.seconds for ran in all_ran)
    failed = len(all_ran) - len(good)
    return _ROW.format(name, len(all_ran), evidence, asked, failed, f"{seconds:.0f}")
