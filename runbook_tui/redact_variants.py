"""The shapes in which a secret may turn up in a program's output.

Programs print what they were given as it is, but also quoted for JSON, a URL or a shell, as hex,
and inside base64 of something longer, where the alignment depends on what stands before it.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""Fewer bytes are never masked: a one-letter secret would blank every such letter of a log."""

WEAK = 8
"""A secret with fewer characters is masked, but whoever configured it should be warned."""

LINE = 8
"""Lines of a multi-line secret are masked one by one from this length on."""

_BASE64_WIDTHS = (64, 76)
"""Where base64 output is wrapped: PEM and OpenSSL, MIME and coreutils."""


def variants(secret: str) -> set[bytes]:
    """Return every byte string that would give `secret` away, each at least SHORTEST long."""
    whole = secret.strip("\r\n")
    found = set(_encodings(whole))
    lines = whole.splitlines()
    if len(lines) > 1:
        for line in lines:
            if len(line.strip()) >= LINE:
                found.update(_encodings(line.strip()))
    return {pattern for pattern in found if len(pattern) >= SHORTEST}


def _encodings(value: str) -> Iterator[bytes]:
    raw = value.encode(errors="surrogateescape")
    yield raw
    yield from _base64(raw)
    for text in (*_urls(raw), *_quoted(value)):
        yield text.encode(errors="surrogateescape")
    yield raw.hex().encode()
    yield raw.hex().upper().encode()


def _base64(raw: bytes) -> Iterator[bytes]:
    """Yield the characters of base64 that depend on `raw` alone, at the three alignments."""
    for before in range(3):
        encoded = b64encode(bytes(before) + raw)
        inner = encoded[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))
    start = b64encode(raw)[: 8 * len(raw) // 6]
    for width in _BASE64_WIDTHS:
        if len(start) > width:
            rows = (start[at : at + width] for at in range(0, len(start), width))
            yield from (row for row in rows if len(row) >= LINE)


def _urls(raw: bytes) -> Iterator[str]:
    for text in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield text
        yield re.sub("%[0-9A-F]{2}", lambda escape: escape.group().lower(), text)


def _quoted(value: str) -> Iterator[str]:
    """Yield the value as it stands between the quotes of JSON, Python, HTML and the shells."""
    for ascii_only in (True, False):
        inner = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield inner
        yield inner.replace("/", "\\/")
    yield repr(value)[1:-1]
    yield html.escape(value)
    yield value.replace("'", "'\"'\"'")
    yield value.replace("'", "'\\''")
    yield re.sub(r'(["$`\\])', r"\\\1", value)
    yield re.sub(r"([^\w@%+=:,./-])", r"\\\1", value, flags=re.ASCII)
