"""The redactor against a plain reference, at every chunk border, in every shape of a secret."""

from __future__ import annotations

import base64
import json
import random
import re
import shlex
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runbook_tui.redact import Patterns, Redactor
from runbook_tui.redact_variants import variants

TOKEN = re.compile(rb"\r|\x1b\[[0-?]{0,48}[ -/]{0,4}[@-~]")


def reference(output: bytes, patterns: Iterable[bytes]) -> bytes:
    """Mask character by character, with the whole output at hand."""
    text, places, at = bytearray(), [], 0
    while at < len(output):
        token = TOKEN.match(output, at)
        if token:
            at = token.end()
            continue
        text.append(output[at])
        places.append(at)
        at += 1
    masked = [False] * len(text)
    starts = set()
    for pattern in patterns:
        begin = text.find(pattern)
        while begin >= 0:
            starts.add(begin)
            masked[begin : begin + len(pattern)] = [True] * len(pattern)
            begin = text.find(pattern, begin + 1)
    result = bytearray(output)
    for index in reversed(range(len(text))):
        if masked[index]:
            first = index == 0 or not masked[index - 1]
            result[places[index] : places[index] + 1] = b"***" if first else b""
    return bytes(result)


@lru_cache(64)
def compiled(secrets: tuple[str, ...]) -> Patterns:
    return Patterns(secrets)


def streamed(output: bytes, secrets: Sequence[str], cuts: Iterable[int]) -> bytes:
    redactor = Redactor(compiled(tuple(secrets)))
    borders = [0, *sorted({min(cut, len(output)) for cut in cuts}), len(output)]
    parts = [redactor.feed(output[a:b]) for a, b in pairwise(borders)]
    return b"".join(parts) + redactor.finish()


def all_patterns(secrets: Iterable[str]) -> set[bytes]:
    return {TOKEN.sub(b"", pattern) for secret in secrets for pattern in variants(secret)}


NEAR = st.text(alphabet="ab", min_size=4, max_size=9)
PIECES = st.sampled_from(
    b"a|b|ab|ba|aab|\x1b[0m|\x1b[1;31m|\x1b[|\x1b|3|m|x|\x00|\xff|\r|\n".split(b"|")
)


@settings(max_examples=400, deadline=None)
@given(
    secrets=st.lists(NEAR, min_size=1, max_size=3),
    pieces=st.lists(PIECES, max_size=40),
    cuts=st.lists(st.integers(0, 80), max_size=12),
)
@example(secrets=["abab", "baba"], pieces=[b"ab"] * 6, cuts=[3, 4, 5])
@example(secrets=["aaaa"], pieces=[b"a"] * 30, cuts=list(range(30)))
@example(secrets=["abab"], pieces=[b"ab", b"\x1b[", b"0m", b"ab\r", b"abab"], cuts=range(20))
def test_any_chunking_gives_what_the_whole_gives(
    secrets: list[str], pieces: list[bytes], cuts: list[int]
) -> None:
    output = b"".join(pieces)

    expected = reference(output, all_patterns(secrets))

    assert streamed(output, secrets, cuts) == expected
    assert streamed(output, secrets, range(len(output))) == expected
    assert streamed(output, secrets, ()) == expected


SECRET = "pa$$wörd/'x y\"\\+=&<z>"
KEY = """\
-----BEGIN KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEF
AASCBKcwggSjAgEAAoIBAQC7
q+/=
-----END KEY-----
"""
LONG = "".join(random.Random(5).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=200))


def shapes(secret: str) -> dict[str, bytes]:
    """What programs make of a secret; made here by the encoders themselves."""
    raw = secret.encode()
    return {
        "raw": raw,
        "base64": base64.b64encode(raw),
        "base64 behind one": base64.b64encode(b"u" + raw + b"!"),
        "base64 behind two": base64.b64encode(b"u:" + raw + b"!"),
        "base64 for URLs": base64.urlsafe_b64encode(b"user:" + raw),
        "URL": quote(secret, safe="").encode(),
        "URL path": quote(secret).encode(),
        "JSON": json.dumps({"k": secret}).encode(),
        "JSON in UTF-8": json.dumps({"k": secret}, ensure_ascii=False).encode(),
        "shell": shlex.quote(secret).encode(),
        "repr": repr(secret).encode(),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
    }


@pytest.mark.parametrize("secret", [SECRET, KEY.strip(), LONG], ids=["odd", "lines", "long"])
@pytest.mark.parametrize("shape", shapes("x").keys())
def test_every_shape_is_masked_at_every_border(secret: str, shape: str) -> None:
    printed = shapes(secret)[shape]
    output = b"before " + printed + b" behind\n"
    expected = streamed(output, [secret], ())

    assert b"***" in expected
    assert expected.startswith(b"before ")
    assert expected.endswith(b" behind\n")
    leaked = longest_common(expected, printed)
    assert leaked < 8, expected
    for cut in range(len(output)):
        assert streamed(output, [secret], [cut]) == expected


def longest_common(masked: bytes, printed: bytes) -> int:
    """Return the length of the longest piece of `printed` that `masked` still holds."""
    return max(
        size
        for size in range(len(printed) + 1)
        if any(printed[at : at + size] in masked for at in range(len(printed) - size + 1))
    )


def test_colours_and_carriage_returns_inside_a_secret_do_not_save_it() -> None:
    coloured = b"see \x1b[31mhunter\x1b[0;1m-\r2-hunter\x1b[Kx\x1b[0m end\r\n"

    masked = streamed(coloured, ["hunter-2-hunterx"], range(len(coloured)))

    assert masked == b"see \x1b[31m***\x1b[0;1m\r\x1b[K\x1b[0m end\r\n"


def test_a_secret_of_several_lines_is_masked_line_by_line_and_through_a_terminal() -> None:
    whole = streamed(KEY.replace("\n", "\r\n").encode(), [KEY], ())
    one = streamed(b"> MIIEvQIBADANBgkqhkiG9w0BAQEF <\n", [KEY], ())

    assert whole.replace(b"\r", b"") == b"***\n"
    assert one == b"> *** <\n"


def test_wrapped_base64_is_masked_row_by_row() -> None:
    rows = base64.encodebytes(LONG.encode())

    masked = streamed(rows, [LONG], ())

    assert longest_common(masked, rows) < 8


def test_overlapping_secrets_leave_no_tail() -> None:
    assert streamed(b"= tokenABCDtail =", ["tokenABCD", "ABCDtail"], range(20)) == b"= *** ="


def test_what_is_shorter_than_four_characters_is_never_masked() -> None:
    assert streamed(b"the eee end", ["e", "eee", ""], ()) == b"the eee end"


def test_zero_bytes_and_foreign_bytes_are_no_obstacle() -> None:
    secret = "ab\x00cd\udcffef"

    assert streamed(b"ab\x00c ab ab\x00cd\xffef", [secret], range(20)) == b"ab\x00c ab ***"


def test_what_is_held_back_stays_small_between_endless_control_sequences() -> None:
    redactor = Redactor(["secret-word"])
    flood = b"\x1b[0m\r" * 50_000

    out = redactor.feed(b"secret") + redactor.feed(flood) + redactor.feed(b"-word secret-word")

    assert out + redactor.finish() == b"secret" + flood + b"-word ***"
    assert streamed(b"secret" + flood + b"secret-word", ["secret-word"], range(0, 9000, 7)) == (
        b"secret" + flood + b"***"
    )


def test_an_endless_secret_is_one_mask_and_no_memory() -> None:
    redactor = Redactor(["aaaaaaaa"])

    written = sum(len(redactor.feed(b"a" * 10_000)) for _ in range(50)) + len(redactor.finish())

    assert written == len(b"***")


def test_texts_are_masked_apart_from_the_stream() -> None:
    redactor = Redactor(Patterns(["s3cr3t-value"]))

    first = redactor.feed(b"s3cr3t-")

    assert redactor.redact_text("no: s3cr3t-value, ü") == "no: ***, ü"
    assert first + redactor.feed(b"value") + redactor.finish() == b"***"
    assert Redactor([]).redact_text("as it is") == "as it is"
