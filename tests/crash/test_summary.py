"""The end of `make crash`: counts that add up, and how to run one cell again."""

from __future__ import annotations

from tests.crash import cells, summary
from tests.crash.cells import Cell
from tests.crash.summary import Ran

EVIDENCE = Ran(Cell("tag", "tag.made", "both"), "evidence", None, 1.25)
ASKED = Ran(Cell("copy", "copy.placed", "worker"), "asked", None, 2.0)
FAILED = Ran(Cell("copy", "copy.sent", "power"), None, "the world holds two", 3.0)


def test_actions_are_counted_and_a_failed_cell_can_be_run_again() -> None:
    said = list(summary.lines([EVIDENCE, ASKED, FAILED], 4.2, shared=True))
    rows = [line.split() for line in said[1:4]]
    assert rows == [
        ["tag", "1", "1", "0", "0", "1"],
        ["copy", "2", "0", "1", "1", "5"],
        ["all", "3", "1", "1", "1", "6"],
    ]
    assert "3 cells in 4 s, the journal in PostgreSQL: 1 FAILED." in said
    assert said[-1] == '  make crash ARGS="copy --point copy.sent --victim power --shared"'


def test_where_none_failed_it_says_so() -> None:
    said = list(summary.lines([EVIDENCE, ASKED], 4.2, shared=False))
    assert "the journal in SQLite: none failed: no effect lost, none doubled." in said[-2]
    assert said[-1] == 'One cell again: make crash ARGS="copy --point copy.placed --victim worker"'


def test_lines_stand_below_their_head() -> None:
    drawn = [summary.line(Ran(cell, "evidence", None, 9)) for cell in cells.everything()]
    assert {text.index("evidence") for text in drawn} == {summary.HEAD.index("class")}
    assert all(len(text) <= 100 for text in summary.lines([FAILED], 1, shared=True))
