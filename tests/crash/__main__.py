"""Runs the matrix and prints it: python -m tests.crash [ACTION …] [options]."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tests.crash import cells, mutations, summary
from tests.crash.cells import Cell
from tests.crash.running import CellError, Matrix
from tests.crash.servers import Servers
from tests.crash.summary import Ran
from tests.crash.worlds import WORLDS


def main() -> int:
    """Print a line for each cell; 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("actions", nargs="*", help="only these")
    parser.add_argument("--victim", choices=cells.VICTIMS, help="only where this one is killed")
    parser.add_argument("--point", help="only at this one")
    parser.add_argument("--jobs", type=int, default=4, help="cells at the same time")
    parser.add_argument("--shared", action="store_true", help="with the journal in PostgreSQL")
    parser.add_argument("--light", action="store_true", help="without Docker engines")
    parser.add_argument("--mutations", action="store_true", help="the guards' own test instead")
    given = parser.parse_args()
    if given.mutations:
        return _mutations()
    chosen = _chosen(given, parser)
    began = time.monotonic()
    with Servers() as servers:
        ran = table(Matrix(servers, shared=given.shared), chosen, given.jobs)
    took = time.monotonic() - began
    for problem in (one.problem for one in ran if one.problem):
        print(f"\n{problem}")
    print()
    for text in summary.lines(ran, took, shared=given.shared):
        print(text)
    return 1 if any(one.problem for one in ran) else 0


def _chosen(given: argparse.Namespace, parser: argparse.ArgumentParser) -> list[Cell]:
    """Return the cells that were asked for; ends with a sentence when there is none."""
    for action in given.actions:
        if action not in WORLDS:
            parser.error(f"there is no {action}; there are {', '.join(WORLDS)}")
    chosen = [
        cell
        for cell in cells.everything()
        if (not given.actions or cell.action in given.actions)
        and given.victim in (None, cell.victim)
        and given.point in (None, cell.point)
        and not (given.light and WORLDS[cell.action].heavy)
    ]
    if not chosen:
        points = dict.fromkeys(cell.point for cell in cells.everything())
        parser.error(f"no cell is all of this; the points are {', '.join(points)}")
    return chosen


def _mutations() -> int:
    with Servers() as servers:
        unnoticed = mutations.survivors(Matrix(servers), servers.home)
    print(f"{len(mutations.MUTATIONS)} guards taken away, {len(unnoticed)} not noticed")
    return 1 if unnoticed else 0


def table(matrix: Matrix, chosen: Iterable[Cell], jobs: int) -> list[Ran]:
    """Run cells, print the table in its order as they end, and return what came of them."""
    expected = cells.expected()

    def one(cell: Cell) -> Ran:
        began = time.monotonic()
        found, problem = None, None
        try:
            found = matrix.run(cell, expected.get(cell))
        except CellError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - the table is printed to its end
            problem = f"{cell}: {error!r}"
        return Ran(cell, found, problem, time.monotonic() - began)

    all_ran = []
    print(summary.HEAD)
    with ThreadPoolExecutor(jobs) as pool:
        for ran in pool.map(one, chosen):
            print(summary.line(ran), flush=True)
            all_ran.append(ran)
    return all_ran


if __name__ == "__main__":
    sys.exit(main())
