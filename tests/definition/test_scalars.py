"""Plain scalars: the YAML 1.2 core rules with fewer surprises."""

from __future__ import annotations

import pytest

from runbook_tui.definition.scalars import Scalar, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("0", 0),
        ("-12", -12),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.10", 1.1),
        (".5", 0.5),
        ("1e3", 1000.0),
        *(
            (text, text)
            for text in ("on", "yes", "no", "off", "y", "n", "22:30", "1:30", "12:30:45")
        ),
        *(
            (text, text)
            for text in ("017", "08", "2026-11-28", "1_000", "0b1", "<<", "=", ".inf", ".nan")
        ),
        *((text, text) for text in ("-", "+", ".", "1.2.3", "0x", "0o8", "1e", "9" * 5000)),
        ("1" + "0" * 299, 10**299),
    ],
)
def test_plain_scalars(text: str, value: Scalar) -> None:
    found = resolve(text)
    assert found == value
    assert isinstance(found, type(value))
    assert isinstance(found, bool) is isinstance(value, bool)


@pytest.mark.parametrize("text", ["1.10", "0x10", "+5", "1e3", ".5", "3", "2.5"])
def test_numbers_keep_their_spelling_as_text(text: str) -> None:
    assert str(resolve(text)) == f"{resolve(text)}" == text
