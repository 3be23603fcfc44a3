"""The figures as a page: `docs/benchmarks.md`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.measure import Figure, number

_HEAD = """# Benchmarks

Taken by `make bench`; each figure beside its baseline, in turn, in one run; medians. Figures change
from machine to machine: the ratio says more.
"""


def page(
    figures: Sequence[Figure],
    machine: Sequence[tuple[str, str]],
    notes: Sequence[str],
    load: tuple[float, float],
) -> str:
    """Return the page. `load` is the machine's before and after."""
    rows = [line(figure) for figure in figures]
    head = ["| what | ours | baseline | | ratio | limit | kept |", "|---|---|---|---|---|---|---|"]
    about = [f"- {name}: {value}" for name, value in machine]
    said = [f"- {note}" for note in notes]
    return "\n".join(
        [
            _HEAD,
            *head,
            *rows,
            "",
            *(["## To be known besides", "", *said, ""] if said else []),
            "## Where and when",
            "",
            f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            *about,
            f"- load of the machine before and after: {load[0]:.1f}, {load[1]:.1f}",
            "",
        ]
    )


def line(figure: Figure) -> str:
    """Return a row of the table."""
    ratio = figure.ratio
    cells = [
        f"{figure.what}{f' ({figure.note})' if figure.note else ''}",
        f"{number(figure.ours)} {figure.unit}",
        "" if figure.baseline is None else f"{number(figure.baseline)} {figure.unit}",
        figure.baseline_name,
        "" if ratio is None else f"{number(ratio)}×",
        "" if figure.limit is None else figure.limit.words(figure.unit),
        {True: "yes", False: "**no**", None: ""}[figure.kept],
    ]
    # A bar inside a cell would end it.
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"
