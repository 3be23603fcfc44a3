"""`faults.tsv` says which test holds for each bad input and fault: each of them is there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROWS = [
    line.split("\t")
    for line in Path(__file__).with_name("faults.tsv").read_text("utf-8").splitlines()[1:]
]


@pytest.mark.parametrize(("line", "test"), ROWS)
def test_every_line_has_its_test(repository: Path, line: str, test: str) -> None:
    file, _, name = test.partition("::")
    tree = ast.parse((repository / file).read_text("utf-8"))
    assert name in {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}, line
