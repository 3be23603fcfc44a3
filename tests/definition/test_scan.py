"""What is refused before any YAML is read, each with its place."""

from __future__ import annotations

import codecs

import pytest

from runbook_tui.definition.problems import DefinitionError
from runbook_tui.definition.scan import MAX_BYTES, scan


@pytest.mark.parametrize(
    ("data", "place", "code"),
    [
        (b"a: b\nc: \xff\n", (2, 4), "encoding"),
        ("é: ü\nö: ".encode() + b"\xe2\x28", (2, 4), "encoding"),
        (codecs.BOM_UTF16_LE + "a: b".encode("utf-16-le"), (1, 1), "encoding"),
        (codecs.BOM_UTF32_BE + "a: b".encode("utf-32-be"), (1, 1), "encoding"),
        (b"a: \x00", (1, 4), "control-character"),
        (b"a: b\r\nc:\x1b[2J", (2, 3), "control-character"),
        ("a: b\n\ufeffc: d".encode(), (2, 1), "control-character"),
        ("a: \x85".encode(), (1, 4), "control-character"),
        ("a: x\u2028y".encode(), (1, 5), "control-character"),
        (b"x" * (MAX_BYTES + 1), (1, 1), "too-large"),
    ],
)
def test_refused(data: bytes, place: tuple[int, int], code: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        scan("f.yaml", data)
    problem = raised.value.problems[0]
    assert ((problem.line, problem.column), problem.code) == (place, code)


def test_mark_at_the_beginning_and_all_line_ends_are_fine() -> None:
    source, problems = scan("f.yaml", codecs.BOM_UTF8 + b"a: b\r\nc: d\re: f\n")
    assert source.lines == ["a: b", "c: d", "e: f", ""]
    assert problems == []


def test_invisible_characters_are_told() -> None:
    _, problems = scan("f.yaml", "run: rm \u202e-rf\u200b".encode())
    assert [(p.column, p.severity) for p in problems] == [(9, "warning"), (13, "warning")]
