"""YAML as plain values with positions: nothing crashes, everything has a place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runbook_tui.definition.compose import read
from runbook_tui.definition.problems import DefinitionError
from runbook_tui.definition.tree import Map, Seq, spelling, spot

_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12).filter(
    lambda text: not set(text) & set("\ufeff\u2028\u2029\ufffe\uffff")
)
_VALUES = st.recursive(
    _WORDS | st.integers(-(10**12), 10**12) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=12,
)


def quoted(value: object) -> object:
    """Have every text quoted when written: what plain text means is another test's business."""
    if isinstance(value, Mapping):
        return {_Quoted(key): quoted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [quoted(inner) for inner in value]
    return _Quoted(value) if isinstance(value, str) else value


class _Quoted(str):
    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


_Dumper.add_representer(
    _Quoted, lambda dumper, data: dumper.represent_scalar("tag:yaml.org,2002:str", data, style='"')
)


@given(st.dictionaries(_WORDS, _VALUES, min_size=1, max_size=5), st.booleans())
def test_reads_back_what_was_written(value: dict[str, object], flow: bool) -> None:
    text = yaml.dump(
        quoted(value), Dumper=_Dumper, default_flow_style=flow, allow_unicode=True, width=60
    )
    root, problems = read("f.yaml", text.encode())
    assert root == value
    assert [problem for problem in problems if problem.severity == "error"] == []


@given(st.dictionaries(_WORDS, st.lists(_WORDS, max_size=3), min_size=1, max_size=4))
def test_every_value_knows_its_place(value: dict[str, object]) -> None:
    text = yaml.dump(quoted(value), Dumper=_Dumper, allow_unicode=True, width=1000)
    root, _ = read("f.yaml", text.encode())
    lines = text.split("\n")
    for key, inner in root.items():
        place = spot(root, key, of_key=True)
        assert yaml.safe_load(text[place.start : place.end]) == key
        assert lines[place.line][place.column :].startswith(text[place.start : place.end])
        for index, word in enumerate(inner):
            place = spot(inner, index)
            assert yaml.safe_load(lines[place.line][place.column :]) == word
            assert yaml.safe_load(text[place.start : place.end]) == word


def test_numbers_keep_their_spelling() -> None:
    root, _ = read("f.yaml", b"a: 1.10\nb: [0x10, 1e3]\n")
    assert (root["a"], spelling(root, "a")) == (1.1, "1.10")
    assert [spelling(root["b"], index) for index in (0, 1)] == ["0x10", "1e3"]


def test_aliases_stand_where_they_are_used() -> None:
    root, problems = read("f.yaml", b"a: &x {b: c}\nd: *x\ne: &t text\nf: *t\n")
    assert (root["d"], root["f"], problems) == ({"b": "c"}, "text", [])
    assert spot(root, "d")[1:3] == (1, 3)


def test_references_have_places_inside_texts() -> None:
    text = 'é: |\n  one ${{ a }}\n  ö ${{ b }}\nf: "x ${{ c }}"\n'
    root, _ = read("f.yaml", text.encode())
    assert spot(root, "é").inside(0)[1:3] == (1, 6)
    assert spot(root, "é").inside(1)[1:3] == (2, 4)
    assert spot(root, "f").inside(0)[1:3] == (3, 6)
    assert spot(root, "f").inside(7)[1:3] == (3, 3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2\n", (2, 1, "duplicate-key")),
        ("a: !!int foo\n", (1, 4, "tag")),
        ("a: !!python/none x\n", (1, 4, "tag")),
        ("a: !custom [b]\n", (1, 4, "tag")),
        ('a: "\\e[2J"\n', (1, 4, "control-character")),
        ('a: "\\x9b"\n', (1, 4, "control-character")),
        ('a: "\\0"\n', (1, 4, "control-character")),
        ('a: "\\uFEFF"\n', (1, 4, "control-character")),
        ("a: {<<: b}\n", (1, 5, "merge-key")),
    ],
)
def test_problems_that_leave_the_file_readable(text: str, problem: tuple[int, int, str]) -> None:
    _, problems = read("f.yaml", text.encode())
    assert [(p.line, p.column, p.code) for p in problems] == [problem]


def test_core_tags_are_fine() -> None:
    root, problems = read("f.yaml", b"a: !!str 1.10\nb: !!int 3\nc: !!map {d: !!bool true}\n")
    assert (root, problems) == ({"a": "1.10", "b": 3, "c": {"d": True}}, [])


def test_reading_ends_after_many_problems() -> None:
    with pytest.raises(DefinitionError) as raised:
        read("f.yaml", b"a: b\n" * 10_000)
    assert len(raised.value.problems) == 100


NASTY = {
    "brackets": b"[" * 100_000,
    "braces": b"{a: " * 100_000,
    "dashes": b"- " * 100_000,
    "question marks": b"? " * 100_000,
    "merge bomb": b"a: &a [x,x]\n"
    + b"".join(b"%c: &%c [*%c,*%c]\n" % (c + 1, c + 1, c, c) for c in range(97, 121)),
    "itself": b"&a [*a]",
    "sexagesimal": b"runbook: 1:30\nversion: 12:30:45\n",
    "surrogate": b'runbook: "\\ud800"\n',
    "digits": b"runbook: " + b"9" * 5000 + b"\n",
    "date": b"runbook: 2026-99-99\n",
    "integer": b"runbook: !!int foo\n",
    "anchors": b"".join(b"k%d: &a%d v\n" % (n, n) for n in range(20_000)),
    "duplicates": b"a: b\n" * 100_000,
}
_CHILD = """
import sys
from runbook_tui.definition.loader import load_sources
from runbook_tui.definition.problems import DefinitionError
from tests.definition.test_compose import NASTY
for name, data in NASTY.items():
    try:
        load_sources("f.yaml", {"f.yaml": data})
    except DefinitionError as error:
        first = error.problems[0]
        print(name, first.line >= 1 and first.column >= 1, first.code, sep="|", flush=True)
"""


def test_nothing_in_a_file_crashes_the_program(repository: Path) -> None:
    """In a process of its own: some of these have made a YAML library end with a signal."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD], cwd=repository, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = [line.split("|") for line in done.stdout.splitlines()]
    assert [line[:2] for line in found] == [[name, "True"] for name in NASTY]
    assert all(line[2] for line in found)


def test_containers_are_ordinary_ones() -> None:
    root, _ = read("f.yaml", b"a: [b]\n")
    assert isinstance(root, Map)
    assert isinstance(root["a"], Seq)
