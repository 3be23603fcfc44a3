"""Takes the figures and writes `docs/benchmarks.md`.

python -m benchmarks [--quick] [NAME…]; only a full run of all of them writes the page.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Final

from benchmarks import machine, report
from benchmarks.measure import Figure, Place

NAMES: Final = ("step", "journal", "start", "loading", "output", "keys", "logs", "runs", "shared")
"""The benchmarks, one module each, in the order of the page."""

PAGE: Final = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main() -> int:
    """Measure; return 1 when a limit is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size, two rounds")
    given = parser.parse_args()
    names = given.names or NAMES
    if wrong := [name for name in names if name not in NAMES]:
        parser.error(f"there is no benchmark {wrong[0]}: {', '.join(NAMES)}")
    before = machine.load()
    figures: list[Figure] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="runbook-bench-") as folder:
        about = machine.describe(Path(folder))
        for name in names:
            place = Place(Path(folder), 0.1 if given.quick else 1.0, 2 if given.quick else 7, notes)
            for figure in import_module(f"benchmarks.{name}").measure(place):
                print(report.line(figure), flush=True)
                figures.append(figure)
    print(*notes, sep="\n")
    if not given.quick and not given.names:
        text = report.page(figures, about, notes, (before, machine.load()))
        PAGE.write_text(text, encoding="utf-8")
    return any(figure.kept is False for figure in figures)


if __name__ == "__main__":
    sys.exit(main())
