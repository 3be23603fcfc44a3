"""`safe` keeps colours, shows what would act, and never reads markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.color import Color

from widgets.safe import legible, plain, safe, safe_lines

NASTY = [
    ("plain text", "plain text"),
    ("\x1b]52;c;aGVsbG8=\x07", "^[]52;c;aGVsbG8=^G"),
    ("\x1b]0;title\x1b\\", "^[]0;title^[\\"),
    ("\x1b]8;;http://x\x1b\\link", "^[]8;;http://x^[\\link"),
    ("\x1b[2J\x1b[1;1H", "^[[2J^[[1;1H"),
    ("\x1b[6n", "^[[6n"),
    ("\x1bP+q544e\x1b\\", "^[P+q544e^[\\"),
    ("\x1b_Ga=T\x1b\\", "^[_Ga=T^[\\"),
    ("\x9b2J\x9d0;t\x9c", "<9B>2J<9D>0;t<9C>"),
    ("a\x7fb\x00c", "a^?b^@c"),
    ("over\rwritten", "over^Mwritten"),
    ("two\nlines", "two^Jlines"),
    ("abc\u202egpj.exe", "abc<U+202E>gpj.exe"),
    ("zero\u200bwidth\ufeff", "zero<U+200B>width<U+FEFF>"),
    ("\ud800", "<U+D800>"),
    ("[@click=app.quit]press[/]", "[@click=app.quit]press[/]"),
    ("error [/bin/sh] x", "error [/bin/sh] x"),
    ("$rb-ok [bold]x", "$rb-ok [bold]x"),
    ("a\tb", "a       b"),
    ("\x1b[1;31mred\x1b[0m", "red"),
    ("\x1b[5;999;38;5mx", "x"),
    ("\x1b[" + "1;" * 200 + "mx", "^[[" + "1;" * 200 + "mx"),
]


@pytest.mark.parametrize(("foreign", "shown"), NASTY)
def test_shown_as_text(foreign: str, shown: str) -> None:
    assert safe(foreign).plain == shown


def test_bytes_that_are_not_utf8_show_their_value() -> None:
    assert plain(b"caf\xe9 ok") == "caf\\xe9 ok"


@given(st.text() | st.text(alphabet="\x1b[]0123456789;m\x07\x9b\u202e\ud800ab\r\n\t"))
def test_nothing_that_acts_is_left(foreign: str) -> None:
    shown = safe(foreign)
    assert not re.search(
        r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\ud800-\udfff]", shown.plain
    )
    assert all(span.end <= len(shown.plain) for span in shown.spans)
    assert all(not getattr(span.style, "meta", None) for span in shown.spans)


def test_colours_become_style_and_end_where_they_end() -> None:
    shown = safe("\x1b[1mbold\x1b[22m not \x1b[38;2;1;2;3mrgb\x1b[39m\x1b[4mline\x1b[m.")
    by_text = {shown.plain[span.start : span.end]: span.style for span in shown.spans}
    assert set(by_text) == {"bold", " not ", "rgb", "line"}
    assert by_text["bold"].bold is True  # type: ignore[union-attr]  # spans of safe hold styles
    assert by_text["rgb"].foreground == Color(1, 2, 3)  # type: ignore[union-attr]  # as above


CHANNEL = st.integers(0, 255)
COLOURS = st.tuples(CHANNEL, CHANNEL, CHANNEL).map(lambda rgb: Color(*rgb))


@given(COLOURS, COLOURS)
def test_colours_are_raised_to_be_legible(colour: Color, background: Color) -> None:
    raised = legible(colour, background)
    lighter, darker = sorted((_luminance(raised), _luminance(background)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.4


def _luminance(colour: Color) -> float:
    parts = [
        channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in colour.normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_lines_are_split_at_line_ends_only() -> None:
    shown = [line.plain for line in safe_lines("a\r\nb\u2028c\rd\n\ne")]
    assert shown == ["a", "b<U+2028>c", "d", "", "e"]
