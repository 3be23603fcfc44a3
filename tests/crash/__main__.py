"""Runs the matrix and prints it: python -m tests.crash [ACTION …] [options]."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tests.crash import cells, mutations
from tests.crash.cells import Cell
from tests.crash.running import CellError, Matrix
from tests.crash.servers import Servers
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
    chosen = [
        cell
        for cell in cells.everything()
        if (not given.actions or cell.action in given.actions)
        and given.victim in (None, cell.victim)
        and given.point in (None, cell.point)
        and not (given.light and WORLDS[cell.action].heavy)
    ]
    began = time.monotonic()
    with Servers() as servers:
        failures = table(Matrix(servers, shared=given.shared), chosen, given.jobs)
    took = time.monotonic() - began
    print(f"{len(chosen)} cells in {took:.0f} s, {len(failures)} failed")
    for problem in failures:
        print(f"\n{problem}")
    return 1 if failures or not chosen else 0


def _mutations() -> int:
    with Servers() as servers:
        unnoticed = mutations.survivors(Matrix(servers), servers.home)
    print(f"{len(mutations.MUTATIONS)} guards taken away, {len(unnoticed)} not noticed")
    return 1 if unnoticed else 0


def table(matrix: Matrix, chosen: Iterable[Cell], jobs: int) -> list[str]:
    """Run cells, print the table as they end in its order, and return what went wrong."""
    expected = cells.expected()
    failures = []

    def one(cell: Cell) -> tuple[Cell, str, str | None]:
        try:
            found = matrix.run(cell, expected.get(cell))
        except CellError as problem:
            return cell, "-", str(problem)
        except Exception as problem:  # noqa: BLE001 - the table is printed to its end
            return cell, "-", f"{cell}: {problem!r}"
        return cell, found, None

    print(f"{'action':14} {'point':22} {'killed':8} {'class':9} ok")
    with ThreadPoolExecutor(jobs) as pool:
        for cell, found, problem in pool.map(one, chosen):
            ok = "ok" if problem is None else "FAILED"
            print(f"{cell.action:14} {cell.point:22} {cell.victim:8} {found:9} {ok}", flush=True)
            failures += [] if problem is None else [problem]
    return failures


if __name__ == "__main__":
    sys.exit(main())
