"""What a script hands on is exactly what it declared, or the step fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_tui.actions.shared.output_file import LIMIT, OutputError, read

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
LINES = st.text(st.characters(codec="utf-8", exclude_characters="\0\n"))


@given(st.dictionaries(NAMES, LINES))
def test_lines_come_back_as_written(values: dict[str, str]) -> None:
    data = "".join(f"{name}={value}\n" for name, value in values.items()).encode()
    assert read(data, list(values), ()) == values


@given(st.dictionaries(NAMES, st.lists(LINES, min_size=1)))
def test_blocks_come_back_as_written(values: dict[str, list[str]]) -> None:
    parts = []
    for name, lines in values.items():
        mark = "END" + "_" * max(map(len, lines))
        parts.append(f"{name}<<{mark}\n" + "".join(f"{line}\n" for line in lines) + f"{mark}\n")
    found = read("".join(parts).encode(), list(values), ())
    assert found == {name: "\n".join(lines) for name, lines in values.items()}


def test_the_last_line_needs_no_end() -> None:
    assert read(b"a=1\n\nb=x=y", {"a": {"pattern": r"\d"}, "b": None}, ()) == {"a": "1", "b": "x=y"}


def test_an_optional_output_may_be_missing() -> None:
    assert read(b"", {"note": {"optional": True, "pattern": "x"}}, ()) == {}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"b=1\n", "The output b is not declared. Add it to outputs."),
        (b"a=1\na=1\n", "The output a is given twice."),
        (b"", "The output a is missing: the script did not write it."),
        (b"a=1x\n", r"The output a does not match its pattern \w."),
        (b"nothing\n", "Line 1 of the outputs is neither name=value nor name<<MARK."),
        (b"a<<END\n1\n", "The output a does not end: there is no line END."),
        (b"a<<\n", "The output a has no mark after <<."),
        (b"a=\xff\n", "The outputs are not UTF-8 at byte 2."),
        (b"a=\0\n", "The outputs hold a NUL byte."),
        (b"a=" + b"x" * LIMIT, f"The outputs are {LIMIT + 2} bytes long, more than {LIMIT}."),
    ],
)
def test_anything_else_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(OutputError) as caught:
        read(data, {"a": {"pattern": r"\w"}}, ())
    assert str(caught.value) == sentence


@pytest.mark.parametrize("value", ["swordfish-7", "xxc3dvcmRmaXNoLTc=", "key swordfish-7 end"])
def test_an_output_with_a_secret_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(OutputError) as caught:
        read(f"a={value}\n".encode(), ["a"], ["swordfish-7"])
    assert str(caught.value) == "The output a contains a secret."
